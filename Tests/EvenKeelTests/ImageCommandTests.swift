import EvenKeel
import Foundation
import Testing

@Suite("Folders of images, by command")
struct ImageCommandTests {
    private func events(_ result: Command.Result) throws -> [[String: Any]] {
        try result.output.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("Images that are left out are counted, whatever is wrong with them")
    func skipped() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", [8, 8, 3])
            for (index, name) in ["dark/0", "dark/2", "light/1"].enumerated() {
                let file = URL(filePath: "\(path)/images/\(name).png")
                var bytes = try Data(contentsOf: file)
                // In the header; then in the pixels.
                bytes[index == 0 ? 20 : bytes.count - 30] ^= 0xFF
                try bytes.write(to: file)
            }
            let train = try Command.run(
                "train", "--data", path + "/images", "--steps", "2", "--batch-size", "8", "--output",
                path + "/run", "--json")
            #expect(train.status == 0, "\(train.errors)")
            let warnings = train.errors.split(separator: "\n").filter { $0.contains("skipped") }
            #expect(warnings.filter { $0.hasPrefix("warning: skipped \(path)/images/") }.count == 3)
            #expect(warnings.last == "warning: 3 of 20 images skipped")
            #expect(warnings.count == 4)
            #expect(try events(train).last?["skippedImages"] as? Int == 3)

            // Only the images for testing are decoded; the one with the damaged header is known.
            let evaluate = try Command.run("evaluate", path + "/run", "--json")
            let count = try #require(try events(evaluate).first?["skippedImages"] as? Int)
            #expect((1...3).contains(count))
            #expect(evaluate.errors.contains("warning: \(count) of 20 images skipped\n"))
        }
    }

    @Test("Without damage nothing is said, and the count is 0")
    func whole() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", [8, 8, 3])
            let train = try Command.run(
                "train", "--data", path + "/images", "--steps", "2", "--batch-size", "8", "--output",
                path + "/run", "--json")
            #expect(!train.errors.contains("skipped"))
            #expect(try events(train).last?["skippedImages"] as? Int == 0)
        }
    }
}
