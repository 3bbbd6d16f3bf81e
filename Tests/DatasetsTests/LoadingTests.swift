import Arrays
import Foundation
import Graph
import Interchange
import Layers
import Runtime
import Synchronization
import Testing
import Training

import Datasets

@Suite("Decoding beside a training")
struct LoadingTests {
    /// Two classes of images in `train` and `test`, one of the former damaged behind its header.
    private static func tree(damaged: Bool = false) throws -> FolderTree {
        let tree = try FolderTree()
        for (part, count) in [("train", 13), ("test", 5)] {
            for index in 0..<count {
                for (label, shift) in [("a", 0), ("b", 90)] {
                    let image = TestImage(6, 8, channels: 1, phase: 2 * index + shift)
                    try tree.write(image.png(), "\(part)/\(label)/\(10 + index).png")
                }
            }
        }
        if damaged {
            try tree.write(damagedImage(), "train/a/13.png")
        }
        return tree
    }

    /// A PNG whose header is fine, and whose compressed pixels are not.
    private static func damagedImage() -> [UInt8] {
        var image = TestImage(6, 8, channels: 1).png()
        image[image.count - 30] ^= 0xFF
        return image
    }

    @Test("Samples, labels and order are those of reading all at once")
    func content() throws {
        let tree = try Self.tree()
        let parts = try Dataset.parts(folder: tree.path)
        let eager = try Dataset.imageFolder(tree.path + "/train").dataset
        #expect(parts.train.isLoading && parts.skipped.isEmpty)
        // Some samples are asked for before anything has begun, in any order, and twice.
        let batch = NDArray([25, 3, 3, 11] as [Int32])
        #expect(parts.train.readable(batch) == batch)
        parts.train.beginLoading(order: [7, 2])
        #expect(parts.train.features == eager.features)
        #expect(parts.train.labels == eager.labels)
        #expect(parts.train.unreadable.isEmpty)
        #expect(parts.train.flattened().features.shape == [26, 48])
        #expect(parts.test.count == 10)
    }

    @Test("Without folders for the parts, every fifth sample or so is for testing")
    func split() throws {
        let tree = try Self.tree()
        let all = try Dataset.imageFolder(tree.path + "/train").dataset
        let parts = try Dataset.parts(folder: tree.path + "/train")
        let (train, test) = all.split(fraction: 0.2, seed: 0)
        #expect(parts.train.features == train.features && parts.train.labels == train.labels)
        #expect(parts.test.features == test.features && parts.test.labels == test.labels)
    }

    @Test("A damaged image is left out of its batches, and reported")
    func damage() throws {
        let tree = try Self.tree(damaged: true)
        let train = try Dataset.parts(folder: tree.path).train
        let batch = NDArray([2, 3, 4] as [Int32])
        #expect(train.count == 26)
        #expect(train.readable(batch).elements(as: Int32.self) == [2, 4])
        #expect(train.unreadable.map(\.path) == [tree.path + "/train/a/13.png"])
        // Its place holds the next of its class.
        #expect(train.features.rows(3..<4) == train.features.rows(4..<5))
        #expect(train.readable(NDArray([3] as [Int32])).elementCount == 0)
    }

    @Test("A class of which no image can be decoded is an error before any training")
    func damagedClass() throws {
        func complaint(_ tree: FolderTree) -> String? {
            datasetFailure { () throws(DatasetError) in try Dataset.parts(folder: tree.path) }
        }
        for part in ["train", "test"] {
            let tree = try Self.tree()
            for index in 0..<(part == "train" ? 13 : 5) {
                try tree.write(Self.damagedImage(), "\(part)/b/\(10 + index).png")
            }
            let sentence = try #require(complaint(tree))
            #expect(sentence.hasPrefix("\(tree.path)/\(part)/b: none of the"), "\(sentence)")
            #expect(sentence.contains("\(tree.path)/\(part)/b/10.png: damaged PNG"))
            // One that can be read, wherever, is enough.
            try tree.write(TestImage(6, 8, channels: 1).png(), "\(part)/b/12.png")
            #expect(complaint(tree) == nil)
        }
        // Damaged in the header and behind it: all are counted.
        let tree = try Self.tree()
        for index in 0..<13 {
            try tree.write(
                index % 2 == 0 ? [1, 2] : Self.damagedImage(), "train/a/\(10 + index).png")
        }
        #expect(try #require(complaint(tree)).contains("/train/a: none of the 13 images"))
    }

    @Test("Both parts have samples that can be read, or the folder is named")
    func emptyParts() throws {
        func complaint(_ tree: FolderTree) throws -> String {
            try #require(
                datasetFailure { () throws(DatasetError) in try Dataset.parts(folder: tree.path) })
        }
        let tree = try FolderTree()
        try tree.write(TestImage(6, 8).png(), "a/1.png")
        try tree.write(TestImage(6, 8).png(), "b/2.png")
        #expect(
            try complaint(tree)
                == "\(tree.path): expected samples to train on and to test with, found 2 and 0")

        // Which images are for testing is always the same choice; here all of those are damaged.
        let divided = try FolderTree()
        let names = (0..<10).map { "a/\($0).png" }
        for name in names { try divided.write(TestImage(6, 8, channels: 1).png(), name) }
        let order = EpochOrder(count: 10, seed: 0).indices(epoch: 0)
        for index in order.suffix(2) { try divided.write(Self.damagedImage(), names[Int(index)]) }
        #expect(try complaint(divided).contains("none of the 2 images for training or testing"))
        try divided.write(TestImage(6, 8, channels: 1).png(), names[Int(order[8])])
        #expect(try Dataset.parts(folder: divided.path).test.count == 2)
    }

    @Test("Every sample is decoded once, whoever needs it")
    func once() {
        let counts = Mutex([Int](repeating: 0, count: 500))
        let loader = SampleLoader(count: 500, threads: 3) { sample throws(FileError) in
            counts.withLock { $0[sample] += 1 }
            if sample % 100 == 7 { throw FileError.malformed("\(sample)", "bad") }
        }
        loader.begin(order: (0..<500).reversed())
        loader.begin(order: [1])
        DispatchQueue.concurrentPerform(iterations: 6) { lane in
            for start in stride(from: 0, to: 500, by: 50) {
                loader.require((0..<50).map { (start + $0 * (lane + 1)) % 500 })
            }
        }
        loader.requireAll()
        #expect(counts.withLock { $0 } == [Int](repeating: 1, count: 500))
        #expect(loader.failures.map(\.path) == ["7", "107", "207", "307", "407"])
        #expect(loader.failure(7) != nil && loader.failure(8) == nil)
    }

    private static func train(_ data: Dataset, threads: Int, stop: Int? = nil) throws -> [NDArray] {
        let model = Sequential {
            Flatten()
            Dense(48, 6)
            BatchNorm(6)
            ReLU()
            Dense(6, 2)
        }
        model.initialize(seed: 2)
        func trainer() -> Trainer {
            Trainer(
                model, loss: .crossEntropy, optimizer: SGD(learningRate: 0.05), seed: 5,
                augmentation: Augmentation(padding: 1, flips: true, mixup: 0.3),
                workers: Workers(count: threads))
        }
        var progress = TrainingProgress()
        if let stop {
            progress = try trainer().fit(data, .steps(stop), batchSize: 6).progress
        }
        try trainer().fit(data, .steps(12), batchSize: 6, validation: data, resuming: progress)
        return model.namedVariables.map(\.variable.value)
    }

    @Test("Training gives the same bits as with all samples there, damaged ones left out")
    func training() throws {
        let whole = try Self.tree()
        let eager = try Dataset.imageFolder(whole.path + "/train").dataset
        let expected = try Self.train(eager, threads: 1)
        for threads in [1, 3] {
            let data = try Dataset.parts(folder: whole.path).train
            #expect(try Self.train(data, threads: threads) == expected)
        }
        let damaged = try Self.tree(damaged: true)
        func part() throws -> Dataset { try Dataset.parts(folder: damaged.path).train }
        let first = try Self.train(part(), threads: 1)
        // Known from the beginning or found on the way: the same.
        let known = try part()
        known.require(0..<known.count)
        #expect(try Self.train(known, threads: 3) == first)
        #expect(try Self.train(part(), threads: 2, stop: 7) == first)
        #expect(first != expected)
    }
}
