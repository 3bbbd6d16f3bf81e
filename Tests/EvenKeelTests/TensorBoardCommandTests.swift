import EvenKeel
import Foundation
import Testing

@Suite("evenkeel train --tensorboard")
struct TensorBoardCommandTests {
    private func eventFiles(_ run: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: run)
            .filter { $0.hasPrefix("events.out.tfevents.") }.sorted()
    }

    @Test("A run folder has an event file for each session; one that is replaced, only its own")
    func files() throws {
        try Command.withFolder { path in
            let run = "\(path)/run"
            func train(_ options: String...) throws -> Int32 {
                let (process, _) = try Command.start(
                    [
                        "train", "--data", "\(path)/data", "--hidden", "8", "--batch-size", "24",
                        "--output", run,
                    ] + options)
                process.waitUntilExit()
                return process.terminationStatus
            }
            #expect(try train("--epochs", "1") == 0)
            #expect(try eventFiles(run).isEmpty)
            #expect(try train("--epochs", "1", "--tensorboard", "--overwrite") == 0)
            let first = try eventFiles(run)
            #expect(first.count == 1)
            let bytes = try Command.bytes("\(run)/\(first[0])")
            for tag in [
                "loss/batch", "accuracy/test", "parameters/1.weight", "confusion_matrix",
                "outputs/1", "gradient_norm/0.weight", "samples", "configuration",
            ] { #expect(bytes.range(of: Data(tag.utf8)) != nil, "\(tag)") }
            #expect(try train("--epochs", "2", "--tensorboard", "--resume") == 0)
            let both = try eventFiles(run)
            #expect(both.count == 2 && both.first == first.first)
            #expect(try Command.bytes("\(run)/\(first[0])") == bytes)
            #expect(try train("--epochs", "1", "--overwrite") == 0)
            #expect(try eventFiles(run).isEmpty)
        }
    }
}
