import Arrays
import Interchange
import FileTestSupport
import Testing

/// Damaged files load or throw; they never crash and never cost memory that they do not hold.
@Suite struct FuzzTests {
    private func fuzz(
        _ name: String, rounds: Int,
        _ valid: (inout PhiloxGenerator, TemporaryFolder) throws -> String,
        _ read: (String) throws(FileError) -> Void
    ) throws {
        let folder = TemporaryFolder()
        var refused = 0
        let limit = 64 << 20
        let grown = try memoryGrowth(limit: limit) {
            var generator = PhiloxGenerator(seed: testSeed)
            var bytes: [UInt8] = []
            refused = 0
            for round in 0..<rounds {
                if round % 20 == 0 {
                    bytes = try InputFile(valid(&generator, folder)).bytes()
                }
                let path = folder.write(generator.mutate(bytes), "damaged")
                if let error = failure({ () throws(FileError) in try read(path) }) {
                    refused += 1
                    #expect(
                        error.path == path && !error.reason.isEmpty
                            && !error.reason.contains("\n"),
                        "seed \(testSeed), round \(round): \(error)")
                }
            }
        }
        #expect(grown < limit, "\(name), seed \(testSeed): memory grew by \(grown) bytes")
        #expect(refused > rounds / 4, "\(name), seed \(testSeed): only \(refused) were refused")
    }

    @Test func safetensors() throws {
        try fuzz("safetensors", rounds: 1000) { generator, folder in
            var arrays: [String: NDArray] = [:]
            for index in 0..<3 {
                let type = ElementType.allCases.randomElement(using: &generator)!
                arrays["layers.\(index)"] = generator.array(
                    generator.shape(maximumRank: 2), type)
            }
            let path = folder.file("valid")
            try Safetensors.write(arrays, metadata: ["step": "12"], to: path)
            return path
        } _: { (path) throws(FileError) in
            let file = try Safetensors(contentsOf: path)
            for name in file.names { _ = try file.array(name) }
        }
    }

    @Test func npy() throws {
        try fuzz("npy", rounds: 700) { generator, folder in
            let type = ElementType.allCases.randomElement(using: &generator)!
            let array = generator.array(generator.shape(), type)
            try NPY.write(array, to: folder.file("valid"))
            return folder.file("valid")
        } _: { (path) throws(FileError) in
            _ = try NPY.read(path)
        }
    }

    @Test func gzip() throws {
        try fuzz("gzip", rounds: 700) { generator, folder in
            let count = Int.random(in: 0..<2000, using: &generator)
            return folder.write(
                Gzip.compress(GzipTests.sample(count, seed: generator.next())), "valid")
        } _: { (path) throws(FileError) in
            _ = try Gzip.decompress(path, limit: 10_000)
        }
    }
}
