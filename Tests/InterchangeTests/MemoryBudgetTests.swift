import Arrays
import FileTestSupport
import Interchange
import Testing

@Suite("Files that are larger than the machine's memory")
struct MemoryBudgetTests {
    /// Whole, but more than there is room for.
    static let byteCount = PhysicalMemory.byteCount

    static func check(_ error: FileError?, _ path: String) throws {
        let error = try #require(error)
        #expect(error.kind == .limitExceeded)
        #expect(error.path == path)
        for number in [byteCount, MemoryBudget.byteCount] {
            #expect(error.reason.contains("\(number)"), "\(error)")
        }
    }

    @Test("The machine has memory, and data gets half of it")
    func numbers() {
        #expect(PhysicalMemory.byteCount > 1 << 26)
        #expect(MemoryBudget.byteCount == PhysicalMemory.byteCount / 2)
    }

    @Test func npy() throws {
        let folder = TemporaryFolder()
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(Self.byteCount),), }"
        let path = folder.write(
            NPYTests.file(header, []), padding: Self.byteCount, "a.npy")
        #expect(try NPY.spec(path) == ([Self.byteCount], .uint8))
        try Self.check(failure { () throws(FileError) in try NPY.read(path) }, path)
    }

    @Test func safetensors() throws {
        let folder = TemporaryFolder()
        let header =
            "{\"x\":{\"dtype\":\"U8\",\"shape\":[\(Self.byteCount)],"
            + "\"data_offsets\":[0,\(Self.byteCount)]}}"
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        let path = folder.write(length + header.utf8, padding: Self.byteCount, "a.safetensors")
        let file = try Safetensors(contentsOf: path)
        try Self.check(failure { () throws(FileError) in try file.array("x") }, path)
        let all = failure { () throws(FileError) in try file.arrays() }
        #expect(all?.kind == .limitExceeded)
    }

    @Test func wholeFiles() throws {
        let folder = TemporaryFolder()
        let path = folder.write([], padding: Self.byteCount, "a")
        let file = try InputFile(path)
        try Self.check(failure { () throws(FileError) in try file.bytes() }, path)
    }
}
