import Foundation
import Interchange
import Training

/// What a lab found, as a page, as JSON and as CSV files.
public struct LabReport {
    let manifest: LabFolder.Manifest
    public let sections: [Section]

    /// One experiment.
    public struct Section {
        public let experiment: Experiment
        let results: Results
        let charts: [Chart]
        /// Each claim with what the numbers say of it; empty until every configuration is finished.
        public let verdicts: [(claim: String, verdict: Verdict)]
        /// How many trainings are finished, of how many.
        public let finished: Int
        public let planned: Int
        public var isComplete: Bool { finished == planned }
    }

    /// Reads what is finished of the folder's experiments.
    public init(_ folder: LabFolder) throws {
        let manifest = try folder.read()
        let options = try manifest.options()
        self.manifest = manifest
        sections = manifest.experiments.compactMap { Experiment.named($0) }.map { experiment in
            let results = folder.results(experiment, options)
            let finished = results.entries.reduce(0) { $0 + $1.outcomes.count }
            let planned = results.entries.count * options.seeds
            return Section(
                experiment: experiment, results: results,
                charts: experiment.figures.flatMap { $0.draw(results) },
                verdicts: finished < planned
                    ? []
                    : experiment.claims.filter { $0.applies(results) }.map {
                        ($0.text, $0.judge(results))
                    },
                finished: finished, planned: planned)
        }
    }

    /// Writes `report.html`, `report.json` and the CSV files.
    public func write(to folder: LabFolder) throws {
        try AtomicFile.write(html, to: folder.reportPath)
        try AtomicFile.write(JSONLines.encode(content) + "\n", to: folder.path + "/report.json")
        for section in sections {
            let path = "\(folder.path)/\(section.experiment.name)"
            try AtomicFile.write(section.numbers.csv, to: path + "/results.csv")
            for chart in section.charts {
                let name = chart.title.lowercased().map {
                    $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
                }
                try AtomicFile.write(chart.table.csv, to: "\(path)/\(String(name)).csv")
            }
        }
    }

    // MARK: - Page

    var html: String {
        var page = ReportPage(
            sections.count == 1 ? sections[0].experiment.title : "What normalization does")
        page.paragraph(
            "Measured by \(manifest.version) on \(manifest.machine). Data: \(manifest.data); "
                + (manifest.seeds == 1 ? "seed 0; " : "seeds 0 to \(manifest.seeds - 1); ")
                + "size: \(manifest.scale.rawValue).",
            style: "soft")
        let claims = sections.flatMap { section in
            section.verdicts.map { (section.experiment.name, $0.claim, $0.verdict) }
        }
        if sections.count > 1, !claims.isEmpty {
            page.section("found", "What was found")
            page.overview(claims)
        }
        for section in sections { section.add(to: &page, modelName: manifest.modelName) }
        page.section("reproduce", "How to make this again")
        page.command(manifest.command)
        page.paragraph(
            "Every training follows from its configuration and its seed; the processor's vector "
                + "instructions may change last digits, the number of threads changes nothing but times. "
                + "Claims are judged by Student's 95 % interval over the seeds: confirmed when it lies "
                + "beyond the threshold, not confirmed when it lies before it, inconclusive otherwise.",
            style: "soft")
        return page.text
    }

    // MARK: - JSON

    private struct Content: Encodable {
        let manifest: LabFolder.Manifest
        let command: String
        let experiments: [ExperimentContent]
    }

    private struct ExperimentContent: Encodable {
        let name: String
        let title: String
        let question: String
        let finished: Int
        let planned: Int
        let claims: [ClaimContent]
        let trials: [TrialContent]
    }

    private struct ClaimContent: Encodable {
        let text: String
        let verdict: Verdict
    }

    private struct TrialContent: Encodable {
        let configuration: [String: String]
        let seed: Int
        let outcome: Outcome
    }

    private var content: Content {
        Content(
            manifest: manifest, command: manifest.command,
            experiments: sections.map { section in
                ExperimentContent(
                    name: section.experiment.name, title: section.experiment.title,
                    question: section.experiment.question, finished: section.finished,
                    planned: section.planned,
                    claims: section.verdicts.map {
                        ClaimContent(text: $0.claim, verdict: $0.verdict)
                    },
                    trials: section.results.entries.flatMap { entry in
                        entry.outcomes.sorted { $0.key < $1.key }.map { seed, outcome in
                            TrialContent(
                                configuration: Dictionary(
                                    entry.configuration.levels.map { ($0.axis, $0.level.label) },
                                    uniquingKeysWith: { first, _ in first }),
                                seed: seed, outcome: outcome)
                        }
                    })
            })
    }
}

extension LabReport.Section {
    fileprivate func add(to page: inout ReportPage, modelName: String?) {
        page.section(experiment.name, experiment.title)
        page.note("Question.", experiment.question)
        page.note("Set-up.", experiment.setUp)
        if let modelName { page.note("With \(modelName).", experiment.withModel) }
        page.note("Claimed by:", experiment.source)
        if isComplete {
            for (claim, verdict) in verdicts { page.verdict(claim, verdict) }
        } else {
            page.paragraph(
                "\(finished) of \(planned) trainings are finished; claims are judged when all are.",
                style: "verdict")
        }
        page.charts(charts)
        page.html(
            "<details><summary>All numbers, mean over the seeds</summary>\(summary.html)</details>")
        let stamp = results.entries.first?.configuration.trial.stamp ?? ""
        page.html(
            "<details><summary>The first configuration in full</summary>"
                + Markup.element("pre", ["tabindex": "0"], Markup.escape(stamp)) + "</details>")
    }

    private var axes: [String] { results.entries.first?.configuration.levels.map(\.axis) ?? [] }

    private var scalarNames: [String] {
        Set(results.entries.flatMap { $0.outcomes.values }.flatMap(\.scalars.keys)).sorted()
    }

    /// A row for each configuration.
    private var summary: DataTable {
        DataTable(
            axes + scalarNames,
            results.entries.map { entry in
                axes.map { .text(entry.level($0).label) }
                    + scalarNames.map { name in
                        entry.summary(name).map { .number($0.mean) } ?? .empty
                    }
            })
    }

    /// A row for each training.
    fileprivate var numbers: DataTable {
        DataTable(
            axes + ["seed"] + scalarNames,
            results.entries.flatMap { entry in
                entry.outcomes.sorted { $0.key < $1.key }.map { seed, outcome in
                    axes.map { .text(entry.level($0).label) } + [.number(Double(seed))]
                        + scalarNames.map { name in
                            outcome.scalars[name].map { .number($0) } ?? .empty
                        }
                }
            })
    }
}
