import Arrays
import Datasets
import Interchange
import FileTestSupport
import Testing

@Suite struct IDXTests {
    @Test(arguments: [ElementType.uint8, .int32, .float32, .float64], ["a", "a.gz"])
    func roundTrip(type: ElementType, name: String) throws {
        let folder = TemporaryFolder()
        var generator = PhiloxGenerator(seed: testSeed)
        for round in 0..<10 {
            let array = generator.array(generator.shape(), type)
            try IDX.write(array, to: folder.file(name))
            #expect(try IDX.read(folder.file(name)) == array, "seed \(testSeed), round \(round)")
        }
    }

    @Test func bytesAreBigEndian() throws {
        let folder = TemporaryFolder()
        func read(_ code: UInt8, _ data: [UInt8]) throws -> NDArray {
            try IDX.read(folder.write([0, 0, code, 1, 0, 0, 0, 2] + data, "a"))
        }
        #expect(try read(0x08, [1, 255]) == NDArray([1, 255] as [UInt8]))
        #expect(try read(0x09, [1, 255]) == NDArray([1, -1] as [Int32]))
        #expect(try read(0x0B, [1, 2, 255, 254]) == NDArray([258, -2] as [Int32]))
        #expect(
            try read(0x0C, [0, 0, 1, 0, 255, 255, 255, 255]) == NDArray([256, -1] as [Int32]))
        #expect(try read(0x0D, [63, 128, 0, 0, 192, 0, 0, 0]) == NDArray([1, -2] as [Float]))
        #expect(
            try read(0x0E, [63, 240, 0, 0, 0, 0, 0, 0] + [192, 0, 0, 0, 0, 0, 0, 0])
                == NDArray([1, -2] as [Double]))
    }

    @Test func filesBeyondTheMachinesMemoryAreRefused() throws {
        let folder = TemporaryFolder()
        // Of a third of the memory there would have to be two copies.
        let rows = (PhysicalMemory.byteCount / 3) >> 20
        let header: [UInt8] =
            [0, 0, 8, 2] + (0..<4).map { UInt8(truncatingIfNeeded: rows >> (24 - 8 * $0)) }
            + [0, 16, 0, 0]
        let path = folder.write(header, padding: rows << 20, "a")
        let error = failure { () throws(FileError) in try IDX.read(path, limit: .max) }
        #expect(error?.kind == .limitExceeded)
        #expect(try #require(error).description.contains("\(rows << 20)"))
        #expect(try #require(error).description.contains("\(MemoryBudget.byteCount / 2) bytes"))
    }

    /// Headers that promise 2^40 and more, plain and compressed: refused, and cheaply.
    @Test(arguments: [
        [0x08, 0x100, 0x10000, 0x10000], [0x0E, 0xFFFF_FFFF, 0xFFFF_FFFF],
        [0x08, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF],
        [0x08, 0, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF],
        [0x08, 0x4000_0000], [0x0D, 100],
    ])
    func absurdHeaders(_ header: [Int]) throws {
        let folder = TemporaryFolder()
        var bytes: [UInt8] = [0, 0, UInt8(header[0]), UInt8(header.count - 1)]
        for extent in header.dropFirst() {
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: extent >> (24 - 8 * $0)) }
        }
        bytes += [UInt8](repeating: 1, count: 100)
        let limit = 64 << 20
        let growth = memoryGrowth(limit: limit) {
            for path in [folder.write(bytes, "a"), folder.write(Gzip.compress(bytes), "a.gz")] {
                let error = failure { () throws(FileError) in try IDX.read(path) }
                #expect(error?.kind == .malformed)
                #expect(error?.path == path)
            }
        }
        #expect(growth < limit)
    }

    @Test func everyCutIsNoticed() throws {
        let folder = TemporaryFolder()
        try IDX.write(NDArray((0..<30).map(Int32.init), shape: [5, 3, 2]), to: folder.file("a"))
        let bytes = try InputFile(folder.file("a")).bytes()
        for count in 0..<bytes.count {
            let path = folder.write(Array(bytes[..<count]), "cut")
            let error = failure { () throws(FileError) in try IDX.read(path) }
            #expect(error?.kind == .malformed, "cut to \(count) bytes")
        }
        let longer = folder.write(bytes + [0], "longer")
        #expect(failure { () throws(FileError) in try IDX.read(longer) } != nil)
        let limited = failure { () throws(FileError) in try IDX.read(folder.file("a"), limit: 119) }
        #expect(limited?.kind == .limitExceeded)
    }

    @Test func typesThatDoNotFit() {
        let folder = TemporaryFolder()
        let error = failure { () throws(FileError) in
            try IDX.write(NDArray([Int64(1)]), to: folder.file("a"))
        }
        #expect(error?.kind == .unsupported)
        #expect(folder.names.isEmpty)
    }

    @Test func damagedFilesLoadOrThrow() throws {
        let folder = TemporaryFolder()
        let limit = 64 << 20
        let growth = try memoryGrowth(limit: limit) {
            var generator = PhiloxGenerator(seed: testSeed)
            var bytes: [UInt8] = []
            for round in 0..<800 {
                if round % 20 == 0 {
                    let array = generator.array(
                        generator.shape(), round % 40 == 0 ? .uint8 : .float32)
                    let path = folder.file(round % 60 == 0 ? "valid.gz" : "valid")
                    try IDX.write(array, to: path)
                    bytes = try InputFile(path).bytes()
                }
                let path = folder.write(generator.mutate(bytes), "damaged")
                if let error = failure({ () throws(FileError) in try IDX.read(path) }) {
                    #expect(error.path == path, "seed \(testSeed), round \(round)")
                }
            }
        }
        #expect(growth < limit, "seed \(testSeed)")
    }
}
