import Arrays
import Datasets
import Foundation
import Testing

@Suite struct CIFARTests {
    /// Records whose bytes tell sample, channel and place.
    private func records(_ labels: [[UInt8]], first: Int) -> [UInt8] {
        labels.enumerated().flatMap { sample, labels in
            labels
                + (0..<3072).map { place in
                    UInt8((first + sample + place / 1024 * 50 + place % 1024 * 7) % 256)
                }
        }
    }

    private func expected(_ sample: Int) -> [UInt8] {
        (0..<1024).flatMap { pixel in
            (0..<3).map { UInt8((sample + $0 * 50 + pixel * 7) % 256) }
        }
    }

    private func tree10() throws -> FolderTree {
        let tree = try FolderTree()
        for batch in 0..<5 {
            let labels = [[UInt8(batch)], [UInt8(9 - batch)]]
            try tree.write(records(labels, first: batch * 2), "data_batch_\(batch + 1).bin")
        }
        try tree.write(records([[3]], first: 100), "test_batch.bin")
        return tree
    }

    @Test func planesBecomePixels() throws {
        let tree = try tree10()
        let (train, test) = try Dataset.cifar10(folder: tree.path)
        #expect(train.features.shape == [10, 32, 32, 3])
        #expect(train.features.elements(as: UInt8.self) == (0..<10).flatMap { expected($0) })
        #expect(train.labels?.elements(as: Int32.self) == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5])
        #expect(train.classCount == 10)
        #expect(train.scale == Float(1) / 255)
        #expect(train.classNames == nil)
        #expect(test.features.elements(as: UInt8.self) == expected(100))
    }

    @Test func fineLabelsOfCIFAR100() throws {
        let tree = try FolderTree()
        try tree.write(records([[19, 99], [0, 4]], first: 0), "train.bin")
        try tree.write(records([[7, 50]], first: 9), "test.bin")
        let names = (0..<100).map { "class \($0)" }
        try tree.write(Array((names.joined(separator: "\n") + "\n\n").utf8), "fine_label_names.txt")
        let (train, test) = try Dataset.cifar100(folder: tree.path)
        #expect(train.labels?.elements(as: Int32.self) == [99, 4])
        #expect(train.classNames == names)
        #expect(test.features.elements(as: UInt8.self) == expected(9))
    }

    @Test func filesBeyondTheMachinesMemoryAreRefused() throws {
        let tree = try tree10()
        let count = PhysicalMemory.byteCount / 3073
        let path = tree.path + "/data_batch_2.bin"
        func complaint() -> String? {
            datasetFailure { () throws(DatasetError) in try Dataset.cifar10(folder: tree.path) }
        }
        #expect(truncate(path, off_t(count * 3073)) == 0)
        #expect(try #require(complaint()).contains("\(path): expected at most"))
        #expect(try #require(complaint()).contains("found \(count * 3073)"))
        // Each file has room, all together have none.
        for batch in 1...5 {
            let path = tree.path + "/data_batch_\(batch).bin"
            #expect(truncate(path, off_t(count / 4 * 3073)) == 0)
        }
        #expect(try #require(complaint()).hasPrefix("\(tree.path): expected at most"))
    }

    @Test func badFilesAreNamed() throws {
        let tree = try tree10()
        func complaint() -> String? {
            datasetFailure { () throws(DatasetError) in try Dataset.cifar10(folder: tree.path) }
        }
        let good = records([[1]], first: 0)

        try tree.write(Array(good.dropLast()), "data_batch_3.bin")
        #expect(try #require(complaint()).contains("data_batch_3.bin: expected samples of 3073"))
        try tree.write([], "data_batch_3.bin")
        #expect(try #require(complaint()).contains("found 0 bytes"))
        try tree.write(records([[1], [10]], first: 0), "data_batch_3.bin")
        #expect(try #require(complaint()).contains("data_batch_3.bin: sample 1: expected a class"))
        try tree.write(good, "data_batch_3.bin")
        #expect(complaint() == nil)
        try tree.write(Array("cat\ndog".utf8), "batches.meta.txt")
        #expect(try #require(complaint()).contains("names of 10 classes, found 2"))
        let tree100 = try FolderTree()
        try tree100.write(records([[0, 21]], first: 0), "test.bin")
        for (labels, found) in [([21, 3], "21 and 3"), ([2, 100], "2 and 100")]
            as [([UInt8], String)]
        {
            try tree100.write(records([labels], first: 0), "train.bin")
            let labelled = datasetFailure { () throws(DatasetError) in
                try Dataset.cifar100(folder: tree100.path)
            }
            #expect(
                try #require(labelled).contains(
                    "expected a coarse class below 20 and a class below 100, found \(found)"))
        }
        let empty = try FolderTree()
        let missing = datasetFailure { () throws(DatasetError) in
            try Dataset.cifar10(folder: empty.path)
        }
        #expect(try #require(missing).contains("expected a file data_batch_1.bin"))
    }
}
