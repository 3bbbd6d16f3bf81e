import Arrays
import Datasets
import Interchange
import FileTestSupport
import Testing

@Suite struct DatasetTests {
    /// Sample i has the features 2i and 2i + 1 and the label i modulo 5.
    static func numbered(_ count: Int) throws -> Dataset {
        try Dataset(
            features: NDArray((0..<(2 * count)).map(Int32.init), shape: [count, 2]),
            labels: NDArray((0..<count).map { UInt8($0 % 5) }), classCount: 5, scale: 0.5, shift: -1
        )
    }

    static func message(_ body: () throws(DatasetError) -> Void) -> String {
        do throws(DatasetError) {
            try body()
            return "nothing was thrown"
        } catch {
            return error.description
        }
    }

    @Test func labelsBecomeInt32() throws {
        let dataset = try Self.numbered(7)
        #expect(dataset.count == 7 && dataset.featureShape == [2])
        #expect(dataset.labels == NDArray([0, 1, 2, 3, 4, 0, 1] as [Int32]))
        #expect(dataset.targets == nil && dataset.classCount == 5)
        #expect(dataset.features.elementType == .int32)
        let counted = try Dataset(
            features: NDArray(zeros: [2]), labels: NDArray([0, 6] as [Int64]))
        #expect(counted.classCount == 7)
    }

    @Test func whatDoesNotFitIsRefused() {
        let features = NDArray(zeros: [3, 2])
        func refused(_ labels: NDArray, _ count: Int? = nil, _ names: [String]? = nil) -> String {
            Self.message { () throws(DatasetError) in
                _ = try Dataset(
                    features: features, labels: labels, classCount: count, classNames: names)
            }
        }
        #expect(refused(NDArray([0, 1] as [Int32])).contains("same number of samples"))
        #expect(refused(NDArray([0, 1, 2] as [Int32]), 2).contains("found 2 for sample 2"))
        #expect(refused(NDArray([0, -1, 2] as [Int32])).contains("found -1 for sample 1"))
        #expect(refused(NDArray([0, 1, 2] as [Int32]), 3, ["a"]).contains("found 1"))
        #expect(refused(NDArray([0, 1, 2] as [Float])).contains("integers"))
        #expect(refused(NDArray(zeros: [3, 1], .int32)).contains("[samples]"))
        #expect(refused(NDArray([0, 1, .max] as [Int64])).contains("number of classes"))
        #expect(refused(NDArray([-1, -1, -1] as [Int64])).contains("number of classes"))
        let targets = Self.message { () throws(DatasetError) in
            _ = try Dataset(features: features, targets: NDArray(zeros: [2]))
        }
        #expect(targets.contains("targets of shape [2]"))
        let scalar = Self.message { () throws(DatasetError) in
            _ = try Dataset(features: NDArray(zeros: []), targets: NDArray(zeros: []))
        }
        #expect(scalar.contains("axis 0"))
    }

    @Test func subsets() throws {
        let dataset = try Self.numbered(7)
        let picked = dataset.subset([6, 0, 6])
        #expect(picked.features.elements(as: Int32.self) == [12, 13, 0, 1, 12, 13])
        #expect(picked.labels == NDArray([1, 0, 1] as [Int32]))
        #expect(picked.scale == 0.5 && picked.shift == -1 && picked.classCount == 5)
        #expect(dataset.subset(2..<4).features.elements(as: Int32.self) == [4, 5, 6, 7])
        #expect(dataset.subset([]).count == 0)
    }

    @Test(arguments: [0, 0.1, 0.25, 0.5, 1])
    func splits(fraction: Double) throws {
        let dataset = try Self.numbered(101)
        let (first, second) = dataset.split(fraction: fraction, seed: 3)
        #expect(second.count == Int((101 * fraction).rounded()))
        let starts = [first, second].map { part in
            stride(from: 0, to: 2 * part.count, by: 2).map {
                part.features.elements(as: Int32.self)[$0]
            }
        }
        #expect(starts.allSatisfy { $0 == $0.sorted() })
        #expect((starts[0] + starts[1]).sorted() == (0..<101).map { 2 * $0 })
        let again = dataset.split(fraction: fraction, seed: 3)
        #expect(again.0.features == first.features && again.1.labels == second.labels)
        if fraction == 0.5 {
            #expect(dataset.split(fraction: 0.5, seed: 4).0.features != first.features)
        }
    }

    @Test func flattening() throws {
        let images = try Dataset(
            features: NDArray(zeros: [4, 3, 3, 1], .uint8), targets: NDArray(zeros: [4, 2], .int32))
        #expect(images.flattened().features.shape == [4, 9])
        #expect(images.targets?.elementType == .float32)
    }
}

@Suite struct MNISTTests {
    static let names = [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ]

    static func write(_ folder: TemporaryFolder, _ names: [String], testSide: Int = 3) throws {
        try IDX.write(
            NDArray((0..<36).map(UInt8.init), shape: [4, 3, 3]), to: folder.file(names[0]))
        try IDX.write(NDArray([0, 1, 2, 0] as [UInt8]), to: folder.file(names[1]))
        try IDX.write(NDArray(zeros: [2, testSide, 3], .uint8), to: folder.file(names[2]))
        try IDX.write(NDArray([3, 1] as [UInt8]), to: folder.file(names[3]))
    }

    @Test func fileNames() throws {
        for names in [
            Self.names, Self.names.map { $0 + ".gz" },
            Self.names.map { $0.replacing("-idx", with: ".idx") },
        ] {
            let folder = TemporaryFolder()
            try Self.write(folder, names)
            let (train, test) = try Dataset.mnist(folder: folder.path)
            #expect(train.features.shape == [4, 3, 3, 1] && test.features.shape == [2, 3, 3, 1])
            #expect(train.features.elementType == .uint8 && train.scale == 1 / 255)
            #expect(train.features.elements(as: UInt8.self) == (0..<36).map(UInt8.init))
            #expect(test.labels == NDArray([3, 1] as [Int32]))
            #expect(train.classCount == 4 && test.classCount == 4)
        }
    }

    @Test func mistakes() throws {
        func message(_ prepare: (TemporaryFolder) throws -> Void) throws -> String {
            let folder = TemporaryFolder()
            try prepare(folder)
            return DatasetTests.message { () throws(DatasetError) in
                _ = try Dataset.mnist(folder: folder.path)
            }
        }
        #expect(try message { _ in }.contains("expected a file train-images-idx3-ubyte"))
        #expect(try message { try Self.write($0, Self.names, testSide: 4) }.contains("differ"))
        let counts = try message {
            try Self.write($0, Self.names)
            try IDX.write(NDArray([0, 1] as [UInt8]), to: $0.file(Self.names[1]))
        }
        #expect(counts.contains("training part") && counts.contains("same number of samples"))
        let floats = try message {
            try Self.write($0, Self.names)
            try IDX.write(NDArray([1e30, 1] as [Float]), to: $0.file(Self.names[3]))
        }
        #expect(floats.contains("number of classes") || floats.contains("integers"))
        #expect(
            try message {
                try Self.write($0, Self.names)
                $0.write([1, 2, 3], Self.names[2])
            }.contains("t10k-images-idx3-ubyte: expected an IDX file"))
    }

    static let isInstalled =
        (try? InputFile(
            Dataset.fashionMNISTFolder + "/train-images-idx3-ubyte.gz")) != nil

    @Test(.enabled(if: isInstalled, "needs the package dataset-fashion-mnist"))
    func fashionMNIST() throws {
        let (train, test) = try Dataset.fashionMNIST()
        #expect(train.features.shape == [60_000, 28, 28, 1] && train.count == 60_000)
        #expect(test.features.shape == [10_000, 28, 28, 1] && test.count == 10_000)
        #expect(train.features.elementType == .uint8)
        #expect(train.classCount == 10 && train.classNames?.count == 10)
        let labels = train.labels!.elements(as: Int32.self)
        #expect(labels[..<5] == [9, 0, 0, 3, 0])
        #expect(test.labels!.elements(as: Int32.self)[..<5] == [9, 2, 1, 1, 6])
        #expect((0..<10).allSatisfy { label in labels.count { $0 == label } == 6000 })
    }

    @Test(.enabled(if: !isInstalled))
    func absentFashionMNIST() {
        let message = DatasetTests.message { () throws(DatasetError) in
            _ = try Dataset.fashionMNIST()
        }
        #expect(message.contains("apt install dataset-fashion-mnist"))
    }
}
