import Foundation
import Testing

@Suite("evenkeel lab and report")
struct LabCommandTests {
    @Test("list names every experiment; wrong names and folders are one line")
    func list() throws {
        let list = try Command.run("lab", "list")
        #expect(list.status == 0)
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 22 && lines.count { $0.contains("--model: It") } == 11)
        #expect(list.output.contains("gradient-flow"))
        let unknown = try Command.run("lab", "run", "nonsense")
        #expect(unknown.status == 64 && unknown.errors.contains("unknown experiment 'nonsense'"))
        let none = try Command.run("lab", "report", "/nonexistent")
        #expect(none.status == 1 && none.errors.hasPrefix("error: /nonexistent: no lab here"))
    }

    @Test("A network without a place for normalizers is a usage error")
    func model() throws {
        try Command.withFolder { path in
            let yaml = "\(path)/plain.yaml"
            try "layers: [flatten, dense: 4]".write(toFile: yaml, atomically: true, encoding: .utf8)
            let refused = try Command.run("lab", "run", "position", "--model", yaml)
            #expect(refused.status == 64)
            #expect(refused.errors.hasPrefix("error: \(yaml) has no batchNorm"))
        }
    }

    @Test("A run has statistics, is resumed without doubles, and can be reported on")
    func report() throws {
        try Command.withFolder { path in
            let run = "\(path)/run"
            let options = [
                "train", "--data", "\(path)/data", "--hidden", "8", "--batch-size", "24",
                "--steps", "30", "--output", run,
            ]
            let (process, _) = try Command.start(options + ["--statistics-interval", "10"])
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            let lines = try String(contentsOfFile: "\(run)/statistics.jsonl", encoding: .utf8)
            #expect(lines.split(separator: "\n").count == 3)
            let report = try Command.run("report", run)
            #expect(report.status == 0 && report.output == "report: \(run)/report.html\n")
            let html = try String(contentsOfFile: "\(run)/report.html", encoding: .utf8)
            #expect(html.contains("Confusion matrix") && html.contains("data:image/png"))

            // The same weights come out when nobody looks.
            let (blind, _) = try Command.start(
                Array(options.dropLast()) + ["\(path)/blind", "--statistics-interval", "0"])
            blind.waitUntilExit()
            #expect(
                try Command.bytes("\(path)/blind/model.safetensors")
                    == Command.bytes("\(run)/model.safetensors"))
            #expect(!FileManager.default.fileExists(atPath: "\(path)/blind/statistics.jsonl"))
        }
    }
}
