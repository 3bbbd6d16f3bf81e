import EvenKeel
import Foundation
import Testing

@Suite("The command")
struct CommandTests {
    @Test("Training, evaluating, predicting, inspecting, planning")
    func life() throws {
        try Command.withFolder { path in
            let train = try Command.run(
                "train", "--data", path + "/data", "--hidden", "16", "--epochs", "6",
                "--batch-size",
                "20", "--learning-rate", "0.02", "--output", path + "/run", "--json")
            #expect(train.status == 0, "\(train.errors)")
            let events = try train.output.split(separator: "\n").map {
                try #require(
                    JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(
                events.map { $0["event"] as? String }
                    == ["start"] + [String](repeating: "epoch", count: 6) + ["finish"])
            #expect(try #require(events.last?["testAccuracy"] as? Double) > 0.9)
            #expect(events.last?["steps"] as? Int == 72)
            #expect(try #require(events.last?["peakMemoryBytes"] as? Int) > 1_000_000)
            #expect(events[2]["epoch"] as? Int == 2)
            #expect(train.errors.contains("epoch 6/6"))

            let evaluate = try Command.run("evaluate", path + "/run", "--json")
            #expect(evaluate.status == 0 && evaluate.output.contains("\"samples\":80"))
            let predict = try Command.run(
                "predict", path + "/run", "--input", path + "/data/t10k-images-idx3-ubyte")
            #expect(predict.output.split(separator: "\n").count == 81)
            let inspect = try Command.run("inspect", path + "/run")
            #expect(inspect.output.contains("1 BatchNorm") && inspect.status == 0)
            let plan = try Command.run("plan", "--data", path + "/data", "--batch-size", "20")
            #expect(plan.output.contains("phase") && plan.status == 0)
        }
    }

    @Test("The version is the changelog's newest")
    func version() throws {
        let result = try Command.run("--version")
        #expect(result.status == 0 && result.output == evenKeelVersion + "\n")
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized
        let changelog = try String(
            contentsOf: root.appending(path: "CHANGELOG.md"), encoding: .utf8)
        let newest = changelog.split(separator: "\n").first { $0.hasPrefix("## [") }
        #expect(newest?.hasPrefix("## [\(evenKeelVersion)]") == true)
    }

    @Test("The same command gives the same bytes, on any number of threads")
    func reproducible() throws {
        try Command.withFolder { path in
            let models = try ["1", "1", "2", "3"].enumerated().map { index, threads in
                let run = "\(path)/run\(index)"
                let result = try Command.run(
                    "train", "--data", path + "/data", "--dropout", "0.2", "--epochs", "2",
                    "--batch-size", "32", "--threads", threads, "--output", run)
                #expect(result.status == 0, "\(result.errors)")
                return try Command.bytes(run + "/model.safetensors")
            }
            #expect(models.allSatisfy { $0 == models[0] })
        }
    }

    @Test("A run that is killed, and one that is interrupted, go on to the same bytes")
    func survives() throws {
        try Command.withFolder { path in
            func arguments(_ run: String) -> [String] {
                [
                    "train", "--data", path + "/data", "--dropout", "0.2", "--epochs", "150",
                    "--batch-size", "24", "--output", path + "/" + run,
                ]
            }
            let (through, _) = try Command.start(arguments("through") + ["--json"])
            through.waitUntilExit()
            #expect(through.terminationStatus == 0)
            for (run, number) in [("killed", SIGKILL), ("interrupted", SIGINT)] {
                let (process, _) = try Command.start(arguments(run))
                // Let it get somewhere, wherever that is.
                while process.isRunning, !RunFolder(path + "/" + run).hasCheckpoint { usleep(2000) }
                kill(process.processIdentifier, number)
                process.waitUntilExit()
                if number == SIGINT, process.terminationReason == .exit {
                    #expect([0, 130].contains(process.terminationStatus))
                }
                let rest = try Command.run("train", "--output", path + "/" + run, "--resume")
                #expect(rest.status == 0, "\(rest.errors)")
                #expect(
                    try Command.bytes("\(path)/\(run)/model.safetensors")
                        == Command.bytes(path + "/through/model.safetensors"))
                let lines = try String(
                    contentsOfFile: "\(path)/\(run)/metrics.jsonl", encoding: .utf8
                ).split(separator: "\n")
                #expect(lines.count == 150)
            }
        }
    }

    @Test(
        "Wrong usage ends with 64 and touches nothing",
        arguments: [
            ["--norm", "magic"], ["--epochs", "1", "--steps", "1"], ["--learning-rate", "-1"],
            ["--batch-size", "1"], ["--batch-size", "239"], ["--threads", "0"], ["--resume"],
            ["--init", "magic"], ["--schedule", "magic"], ["--no-such-option"],
        ])
    func usage(arguments: [String]) throws {
        try Command.withFolder { path in
            let output = arguments == ["--resume"] ? [] : ["--output", path + "/run"]
            let (process, pipes) = try Command.start(
                ["train", "--data", path + "/data"] + output + arguments)
            process.waitUntilExit()
            let text = pipes[1].fileHandleForReading.readDataToEndOfFile()
            let message = String(decoding: text, as: UTF8.self)
            #expect(process.terminationStatus == 64, "\(message)")
            #expect(
                message.hasPrefix("error: ") && message.hasSuffix("see 'evenkeel train --help'\n")
                    && message.count { $0 == "\n" } == 1, "\(message)")
            #expect(!FileManager.default.fileExists(atPath: path + "/run"))
        }
    }

    @Test(
        "Help is no error",
        arguments: [
            ["--help"], ["train", "--help"], ["help", "predict"], ["benchmark", "layer", "-h"],
        ])
    func help(arguments: [String]) throws {
        let (process, pipes) = try Command.start(arguments)
        let text = String(
            decoding: pipes[0].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(text.contains("USAGE:"))
    }

    @Test("Anything else that goes wrong is one line and ends with 1")
    func failures() throws {
        try Command.withFolder { path in
            try "- dens: 3".write(toFile: path + "/m.yaml", atomically: true, encoding: .utf8)
            try "- dense: 3".write(toFile: path + "/n.yaml", atomically: true, encoding: .utf8)
            for arguments in [
                ["train", "--data", path + "/nowhere", "--output", path + "/run"],
                ["train", "--data", path + "/data", "--model", path + "/m.yaml"],
                ["train", "--data", path + "/data", "--model", path + "/n.yaml"],
                ["evaluate", path + "/nothing"], ["inspect", path + "/data"],
                ["predict", path + "/nothing", "--input", path + "/m.yaml"],
            ] {
                let (process, pipes) = try Command.start(arguments)
                let text = String(
                    decoding: pipes[1].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                #expect(process.terminationStatus == 1, "\(arguments): \(text)")
                #expect(text.hasPrefix("error: ") && text.split(separator: "\n").count == 1)
            }
        }
    }

    @Test("A run without a whole checkpoint is refused with what to do instead")
    func damagedCheckpoints() throws {
        try Command.withFolder { path in
            let run = RunFolder(path + "/run")
            var configuration = RunConfiguration()
            configuration.data = path + "/data"
            try run.create(configuration)
            for file in [run.checkpoint, run.previousCheckpoint] {
                try "torn".write(toFile: file, atomically: true, encoding: .utf8)
            }
            let result = try Command.run("train", "--output", run.path, "--resume")
            #expect(result.status == 1)
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 3 && lines.dropLast().allSatisfy { $0.hasPrefix("warning: ") })
            #expect(lines.last?.hasPrefix("error: ") == true)
            #expect(lines.last?.contains("another --output") == true, "\(result.errors)")
        }
    }

    @Test("The worked example's figures")
    func workedExample() throws {
        let result = try Command.run("worked-example")
        for text in ["[10, 11]", "[33.00, 33.00]", "-1.567", "1.567", "-2.133", "4.133"] {
            #expect(result.output.contains(text), "\(text)")
        }
    }
}

extension RunFolder {
    var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpoint) }
}
