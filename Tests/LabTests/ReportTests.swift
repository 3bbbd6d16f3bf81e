import Arrays
import Datasets
import Foundation
import FoundationXML
import Interchange
import Runtime
import Testing
import Training

import Lab

@Suite("Reports")
struct ReportTests {
    /// A page must be XML where it matters: charts and tables.
    private static func expectSelfContained(_ html: String) {
        #expect(!html.contains("http://") || !html.contains("src=\"http"))
        #expect(!html.contains("<link") && !html.contains("<script"))
        for svg in html.components(separatedBy: "<svg").dropFirst() {
            let picture = "<svg" + svg.components(separatedBy: "</svg>")[0] + "</svg>"
            #expect(XMLParser(data: Data(picture.utf8)).parse())
        }
        let figures = html.components(separatedBy: "<figure>").count
        #expect(figures == html.components(separatedBy: "<summary>Data</summary>").count)
    }

    @Test("A lab's report holds question, numbers, verdicts and the way to repeat it")
    func lab() throws {
        try LabSupport.withFolder { folder in
            // A known experiment whose trials are not there: half of a report.
            let experiment = Experiment.normalizers
            let options = LabSupport.options()
            _ = try folder.begin(LabFolder.Manifest([experiment], options))
            let partial = try LabReport(folder)
            #expect(!partial.sections[0].isComplete && partial.sections[0].verdicts.isEmpty)
            try partial.write(to: folder)

            for (index, configuration) in experiment.grid(options).configurations.enumerated() {
                for seed in 0..<2 {
                    var outcome = Outcome()
                    outcome.scalars = [
                        "testAccuracy": configuration.trial.run.norm == .none
                            ? 0.5 : 0.8 + 0.001 * Double(seed), "seconds": Double(index),
                        "gap": .infinity,
                    ]
                    try folder.save(
                        outcome, experiment, configuration, seed: seed, data: options.data)
                }
            }
            let report = try LabReport(folder)
            #expect(report.sections[0].isComplete)
            #expect(report.sections[0].verdicts.map(\.verdict.kind) == [.confirmed])
            try report.write(to: folder)
            let html = try String(contentsOfFile: folder.reportPath, encoding: .utf8)
            Self.expectSelfContained(html)
            for text in [
                experiment.question, "evenkeel lab run normalizers --data made --seeds 2 --quick",
                "confirmed", "30.", "EvenKeel",
            ] { #expect(html.contains(text), "\(text)") }
            let csv = try String(
                contentsOfFile: folder.path + "/normalizers/results.csv", encoding: .utf8)
            let count = experiment.grid(options).configurations.count
            #expect(csv.components(separatedBy: "\r\n").count == 2 * count + 2)
            let json = try Data(contentsOf: URL(filePath: folder.path + "/report.json"))
            let object = try JSONSerialization.jsonObject(with: json) as? [String: Any]
            let experiments = object?["experiments"] as? [[String: Any]]
            #expect((experiments?[0]["trials"] as? [Any])?.count == 2 * count)
        }
    }

    @Test("A run's report has charts of all that was recorded, and of mistakes with pictures")
    func run() throws {
        try LabSupport.withFolder { place in
            let folder = RunFolder(place.path)
            var configuration = RunConfiguration()
            configuration.hidden = [8]
            configuration.batchSize = 16
            try folder.create(configuration)
            let images = try LabSupport.data(120, seed: 1)
            let data = try configuration.prepare(images)
            let model = try configuration.makeModel(data)
            let trainer = Trainer(
                model, loss: .crossEntropy, optimizer: SGD(learningRate: 0.05),
                metrics: [.accuracy], workers: Workers(count: 1))
            try trainer.fit(
                data, .epochs(2), batchSize: 16, dropsLastBatch: true, validation: data,
                callbacks: [RunRecorder(folder), StatisticsRecorder(folder, interval: 2)])
            // A torn line, as a run that is still going on may have.
            let handle = try #require(FileHandle(forWritingAtPath: folder.metrics))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("{\"epoch\":3,\"st".utf8))
            try RunReport(folder, outputs: try trainer.predict(data), test: images).write()
            let html = try String(contentsOfFile: RunReport.path(folder), encoding: .utf8)
            Self.expectSelfContained(html)
            for text in [
                "Loss", "Accuracy", "Learning rate", "0 Dense", "1 BatchNorm", "Running mean",
                "Gradient norms", "Throughput", "Memory", "Confusion matrix", "data:image/png",
            ] { #expect(html.contains(text), "\(text)") }
            let tables = try FileManager.default.contentsOfDirectory(
                atPath: folder.path + "/report")
            #expect(tables.contains("loss.csv") && tables.contains("confusion-matrix.csv"))

            // Nothing recorded at all is a report too.
            try folder.clear()
            try RunReport(folder, outputs: nil, test: nil).write()
            #expect(
                try String(contentsOfFile: RunReport.path(folder), encoding: .utf8)
                    .contains("No epoch has been finished yet"))
        }
    }
}
