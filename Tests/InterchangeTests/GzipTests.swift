import Arrays
import Interchange
import FileTestSupport
import Testing

@Suite struct GzipTests {
    static func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = PhiloxGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0..<16, using: &generator) }
    }

    @Test(arguments: [0, 1, 1000, 65_535, 65_536, 400_000])
    func roundTrip(_ count: Int) throws {
        let folder = TemporaryFolder()
        let bytes = Self.sample(count)
        let path = folder.write(Gzip.compress(bytes), "a.gz")
        #expect(try Gzip.decompress(path, limit: count) == bytes)
        #expect(try ByteStream(path).bytes(limit: count) == bytes)
        #expect(try ByteStream(path).maximumByteCount >= count)
        let plain = folder.write(bytes, "a")
        #expect(try ByteStream(plain).bytes(limit: count) == bytes)
        #expect(try ByteStream(plain).maximumByteCount == count)
    }

    @Test func membersFollowOneAnother() throws {
        let folder = TemporaryFolder()
        let (first, second) = (Self.sample(70_000), Self.sample(300, seed: 2))
        let members = Gzip.compress(first) + Gzip.compress([]) + Gzip.compress(second)
        let padded = folder.write(members + [UInt8](repeating: 0, count: 513), "a.gz")
        #expect(try Gzip.decompress(padded, limit: 100_000) == first + second)
        let followed = folder.write(members + [7], "b.gz")
        #expect(
            failure { () throws(FileError) in try Gzip.decompress(followed, limit: 100_000) } != nil
        )
    }

    @Test func outputIsLimited() throws {
        let folder = TemporaryFolder()
        let path = folder.write(
            Gzip.compress([UInt8](repeating: 0, count: 20_000_000)), "zeros.gz")
        let limit = 100_000_000
        let growth = memoryGrowth(limit: limit) {
            let error = failure { () throws(FileError) in
                try Gzip.decompress(path, limit: 100_000)
            }
            #expect(error?.kind == .limitExceeded)
        }
        #expect(growth < limit)
        #expect(
            failure { () throws(FileError) in try ByteStream(path).bytes(limit: 100_000) }?.kind
                == .limitExceeded)
    }

    @Test func everyCutIsNoticed() throws {
        let folder = TemporaryFolder()
        let bytes = Gzip.compress(Self.sample(300))
        for count in 0..<bytes.count {
            let path = folder.write(Array(bytes[..<count]), "cut.gz")
            let error = failure { () throws(FileError) in try Gzip.decompress(path, limit: 1000) }
            #expect(error?.kind == .malformed, "cut to \(count) bytes")
        }
    }

    /// Beyond the header's time and system fields every byte matters: the checksum sees to it.
    @Test func everyDamagedByteOfTheDataIsNoticed() throws {
        let folder = TemporaryFolder()
        let bytes = Gzip.compress(Self.sample(300))
        for index in 10..<bytes.count {
            var damaged = bytes
            damaged[index] ^= 0x10
            let path = folder.write(damaged, "damaged.gz")
            let error = failure { () throws(FileError) in try Gzip.decompress(path, limit: 1000) }
            #expect(error?.kind == .malformed || error?.kind == .limitExceeded, "byte \(index)")
        }
    }
}
