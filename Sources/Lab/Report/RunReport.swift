import Arrays
import Datasets
import Foundation
import Interchange
import Layers
import Training

/// What happened in a training run, as a page, as JSON and as CSV files.
public struct RunReport {
    private let folder: RunFolder
    private let configuration: RunConfiguration
    private let epochs: [EpochLine]
    private let statistics: [StepStatistics]
    private let mistakes: Mistakes?

    /// A line of `metrics.jsonl`.
    package struct EpochLine: Codable {
        package var epoch: Int
        package var step: Int
        package var trainLoss: Double?
        package var testLoss: Double?
        package var testAccuracy: Double?
        package var samplesPerSecond: Double?
        package var seconds: Double?
    }

    /// Reads a run's folder.
    ///
    /// - Parameters:
    ///   - outputs: the model's outputs for the test data, in order; nil where they cannot be had.
    ///   - test: the test data as it was read, with its images' shape.
    public init(_ folder: RunFolder, outputs: NDArray?, test: Dataset?) throws {
        self.folder = folder
        configuration = try folder.readConfiguration()
        do throws(FileError) {
            epochs = try JSONLines.read(folder.metrics, as: EpochLine.self)
        } catch {
            guard error.kind == .notFound else { throw error }
            epochs = []
        }
        statistics = try folder.readStatistics()
        mistakes = outputs.flatMap { outputs in test.flatMap { Mistakes(outputs, $0) } }
    }

    public static func path(_ folder: RunFolder) -> String { folder.path + "/report.html" }

    /// Writes `report.html`, `report.json` and, in `report/`, a CSV file for each chart.
    public func write() throws {
        try AtomicFile.write(html, to: Self.path(folder))
        try AtomicFile.write(JSONLines.encode(content) + "\n", to: folder.path + "/report.json")
        let tables = folder.path + "/report"
        do {
            try FileManager.default.createDirectory(
                atPath: tables, withIntermediateDirectories: true)
        } catch {
            throw FileError(path: tables, kind: .system, reason: "the folder cannot be made")
        }
        for chart in sections.flatMap(\.charts) {
            let name = chart.title.lowercased().map {
                $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
            }
            try AtomicFile.write(chart.table.csv, to: "\(tables)/\(String(name)).csv")
        }
    }

    private struct Content: Encodable {
        let configuration: String
        let machine: String
        let version: String
        let epochs: [EpochLine]
        let statistics: [StepStatistics]
        let confusion: [[Int]]?
    }

    private var content: Content {
        Content(
            configuration: configuration.yaml, machine: Machine.description,
            version: Machine.version, epochs: epochs, statistics: statistics,
            confusion: mistakes?.counts)
    }

    private var sections: [(id: String, title: String, charts: [Chart])] {
        let charts = RunCharts(epochs: epochs, statistics: statistics)
        return [
            ("training", "Loss, accuracy, learning rate", charts.training),
            ("layers", "What the layers give", charts.layers),
            ("statistics", "Running statistics against the batches'", charts.norms),
            ("gradients", "Gradients and weights", charts.gradients),
            ("speed", "Throughput and memory", charts.speed),
            ("confusion", "What is taken for what", mistakes.map { [$0.chart] } ?? []),
        ].filter { !$0.charts.isEmpty }
    }

    private var html: String {
        var page = ReportPage("Training run \(folder.path)")
        page.paragraph(
            "Reported by \(Machine.version) on \(Machine.description).", style: "soft")
        if let last = epochs.last {
            func text(_ value: Double?, percent: Bool = false) -> String {
                value.map { NumberText.short(percent ? $0 * 100 : $0) + (percent ? " %" : "") }
                    ?? "–"
            }
            page.paragraph(
                "After \(last.epoch) epochs and \(last.step) steps: test accuracy "
                    + "\(text(last.testAccuracy, percent: true)), test loss \(text(last.testLoss)), "
                    + "training loss \(text(last.trainLoss)), \(text(last.samplesPerSecond)) samples/s."
            )
        } else {
            page.paragraph("No epoch has been finished yet.")
        }
        if statistics.isEmpty {
            page.paragraph(
                "Nothing was recorded inside the layers: statistics.jsonl is not there or empty "
                    + "(see `evenkeel train --statistics-interval`).")
        }
        for section in sections {
            page.section(section.id, section.title)
            page.charts(section.charts)
            if section.id == "confusion", let mistakes { page.html(mistakes.samples) }
        }
        page.section("reproduce", "How to make this again")
        page.paragraph("With this as config.yaml:")
        page.command(configuration.yaml)
        page.command("evenkeel train --config config.yaml --output RUN")
        return page.text
    }
}
