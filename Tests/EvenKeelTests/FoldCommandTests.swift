import EvenKeel
import Foundation
import Testing

@Suite("evenkeel fold")
struct FoldCommandTests {
    @Test("The folded run evaluates alike, and is for inference")
    func life() throws {
        try Command.withFolder { path in
            let train = try Command.run(
                "train", "--data", path + "/data", "--hidden", "16", "--epochs", "3",
                "--batch-size", "20", "--output", path + "/run")
            #expect(train.status == 0, "\(train.errors)")
            let fold = try Command.run(
                "fold", path + "/run", "--output", path + "/folded", "--json")
            #expect(fold.status == 0, "\(fold.errors)")
            let certificate = try #require(
                JSONSerialization.jsonObject(with: Data(fold.output.utf8)) as? [String: Any])
            let difference = try #require(certificate["largestDifference"] as? Double)
            #expect(difference <= (certificate["roundingBound"] as? Double) ?? 0)
            #expect((certificate["folded"] as? [String])?.count == 2)
            #expect(
                try Command.bytes(path + "/folded/folding.json") == Data(fold.output.utf8))

            let results = try ["run", "folded"].map { run in
                let result = try Command.run("evaluate", "\(path)/\(run)", "--json")
                return try #require(
                    JSONSerialization.jsonObject(with: Data(result.output.utf8))
                        as? [String: Any])
            }
            let losses = results.compactMap { $0["loss"] as? Double }
            #expect(losses.count == 2 && abs(losses[0] - losses[1]) < 1e-5)
            #expect(results[0]["accuracy"] as? Double == results[1]["accuracy"] as? Double)
            let values = try Safetensors(contentsOf: path + "/folded/model.safetensors").arrays()
            #expect(!values.keys.contains { $0.contains("running") })

            for (arguments, message) in [
                (["fold", path + "/folded", "--output", path + "/again"], "no batch norm"),
                (["fold", path + "/run", "--output", path + "/folded"], "already"),
                (["train", "--output", path + "/folded", "--resume"], "inference"),
            ] {
                let (process, pipes) = try Command.start(arguments)
                let text = String(
                    decoding: pipes[1].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                #expect(process.terminationStatus != 0 && text.contains(message), "\(text)")
            }
            #expect(try !Command.bytes(path + "/folded/model.safetensors").isEmpty)
        }
    }
}
