import EvenKeel
import Foundation
import Testing

@Suite("Training practice by options")
struct PracticeCommandTests {
    private static let practice = [
        "--augment", "crop=1,flip,cutout=2,mixup=0.2", "--normalize", "--label-smoothing", "0.1",
        "--warm-up", "5", "--ema", "0.9", "--schedule", "constant",
    ]

    private func run(_ arguments: [String]) throws -> (status: Int32, errors: String) {
        let (process, pipes) = try Command.start(arguments)
        _ = pipes[0].fileHandleForReading.readDataToEndOfFile()
        let errors = pipes[1].fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: errors, as: UTF8.self))
    }

    @Test("A resumed run has the same bytes, on any number of threads")
    func resumes() throws {
        try Command.withFolder { path in
            let layers = path + "/layers.yaml"
            try """
            - flatten
            - dense: {outputs: 12, bias: false}
            - batchNorm
            - relu
            - dense: 4
            """.write(toFile: layers, atomically: true, encoding: .utf8)
            func train(_ name: String, _ more: String...) throws {
                let result = try run(
                    ["train", "--output", "\(path)/\(name)"] + Self.practice + more)
                #expect(result.status == 0, "\(result.errors)")
            }
            let new = ["--data", path + "/data", "--model", layers, "--batch-size", "32"]
            func start(_ name: String, _ more: String...) throws {
                let result = try run(
                    ["train", "--output", "\(path)/\(name)"] + new + Self.practice + more)
                #expect(result.status == 0, "\(result.errors)")
            }
            try start("through", "--epochs", "4", "--threads", "1")
            try start("parts", "--epochs", "2", "--threads", "2")
            try train("parts", "--resume", "--epochs", "4", "--threads", "3")
            for file in ["model.safetensors", "config.yaml"] {
                #expect(
                    try Command.bytes("\(path)/through/\(file)")
                        == Command.bytes("\(path)/parts/\(file)"), "\(file)")
            }
            let text = try String(contentsOfFile: path + "/parts/config.yaml", encoding: .utf8)
            for line in ["augment: crop=1,flip,cutout=2,mixup=0.2", "ema: 0.9", "mean: ["] {
                #expect(text.contains(line), "\(line)")
            }
            // What was evaluated is what was saved.
            let evaluate = try Command.run("evaluate", path + "/parts", "--json")
            let metrics = try String(contentsOfFile: path + "/parts/metrics.jsonl", encoding: .utf8)
            func number(_ text: some StringProtocol, _ key: String) throws -> Double {
                let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
                return try #require((object as? [String: Any])?[key] as? Double)
            }
            let last = try #require(metrics.split(separator: "\n").last)
            #expect(
                try abs(number(evaluate.output, "loss") - number(last, "testLoss")) < 1e-6)
            let other = try run(
                ["train", "--output", path + "/parts", "--resume", "--epochs", "5", "--ema", "0.5"])
            #expect(other.status == 64 && other.errors.contains("only --epochs"))
        }
    }

    @Test("What needs more memory than there is is refused", arguments: [true, false])
    func memory(isInference: Bool) throws {
        try Command.withFolder { path in
            let result = try run(
                ["plan", "--data", path + "/data", "--batch-size", "1000000000000000"]
                    + (isInference ? ["--inference"] : []))
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.hasPrefix("error: ") && result.errors.contains("GB of memory"))
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }

    @Test("A model whose configuration could not be read back is refused")
    func longConfiguration() throws {
        try Command.withFolder { path in
            let layer = "{layerNorm: {scale: false, center: false, epsilon: 0.001}}"
            let block = [String](repeating: layer, count: 50).joined(separator: ", ")
            let repeated = [String](repeating: "{residual: *a}", count: 40).joined(separator: ", ")
            try "- flatten\n- residual: &a [\(block)]\n- residual: [\(repeated)]\n- dense: 4"
                .write(toFile: path + "/layers.yaml", atomically: true, encoding: .utf8)
            let result = try run([
                "train", "--data", path + "/data", "--model", path + "/layers.yaml", "--output",
                path + "/run",
            ])
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("run/config.yaml: expected at most 65536 bytes"))
            #expect(!FileManager.default.fileExists(atPath: path + "/run"))
        }
    }

    @Test("What does not fit is refused in a sentence")
    func refusals() throws {
        try Command.withFolder { path in
            for (arguments, message) in [
                (["--augment", "flip"], "augmentation needs bytes"),
                (["--augment", "twist"], "augment: expected a list"),
                (["--label-smoothing", "1"], "labelSmoothing: expected"),
                (["--ema", "1"], "ema: expected"), (["--warm-up", "-1"], "warmUp: expected"),
                (["--schedule", "warmup=3"], "unknown schedule"),
                (["--zero-gamma"], "zeroGamma: expected a network whose residual branches"),
                (
                    ["--zero-gamma", "--model", "resnet20", "--norm", "none"],
                    "zeroGamma: there is no gamma with norm none"
                ),
            ] {
                let result = try run(
                    ["train", "--data", path + "/data", "--output", path + "/run"] + arguments)
                #expect(result.status == 64 && result.errors.contains(message), "\(result)")
            }
        }
    }
}
