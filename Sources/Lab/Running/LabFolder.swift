import Foundation
import Interchange
import Training

/// The folder of a lab:
///
/// - `lab.json`: which experiments, with which options, on which machine,
/// - `EXPERIMENT/trials/*.json`: what each finished training gave,
/// - `EXPERIMENT/trials/*.progress.jsonl`: how each training goes or went, lines of `ProgressLine`,
/// - `stop`: put there by another program, ends the lab's run; see `StopRequest`,
/// - `report.html`, `report.json` and `EXPERIMENT/*.csv`, made of them.
public struct LabFolder: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    package var manifestPath: String { path + "/lab.json" }
    public var reportPath: String { path + "/report.html" }

    /// What a report says about how its numbers came to be.
    public struct Manifest: Codable, Hashable, Sendable {
        public var experiments: [String]
        public var data: String
        public var scale: LabOptions.Scale
        public var seeds: Int
        /// A configuration that holds the user's network, as YAML.
        public var model: String?
        public var modelName: String?
        public var machine: String
        public var version: String

        public init(_ experiments: [Experiment], _ options: LabOptions) {
            self.experiments = experiments.map(\.name)
            (data, scale, seeds) = (options.data, options.scale, options.seeds)
            modelName = options.modelName
            model = options.model.map {
                var configuration = RunConfiguration()
                configuration.model = $0
                return configuration.yaml
            }
            machine = Machine.description
            version = Machine.version
        }

        public func options() throws(ConfigurationError) -> LabOptions {
            var options = LabOptions()
            (options.data, options.scale, options.seeds) = (data, scale, seeds)
            options.modelName = modelName
            if let model {
                options.model = try RunConfiguration(yaml: model, source: "lab.json").model
            }
            return options
        }

        /// The command that makes the same again.
        var command: String {
            var words = ["evenkeel lab run"] + experiments
            if data != "fashion-mnist" { words += ["--data", data] }
            if let modelName { words += ["--model", modelName] }
            if seeds != LabOptions().seeds { words += ["--seeds", "\(seeds)"] }
            return (words + ["--\(scale.rawValue)"]).joined(separator: " ")
        }
    }

    /// Keeps other programs from running a lab in the folder, which is made where there is none.
    package func claim() throws(FileError) -> FolderClaim {
        try makeFolder("")
        return try FolderClaim(
            path,
            refusal: "another lab is being run here; wait for its end, or choose another --output")
    }

    private func makeFolder(_ name: String) throws(FileError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path + name, withIntermediateDirectories: true)
        } catch {
            throw FileError(path: path, kind: .system, reason: "the folder cannot be made")
        }
    }

    /// Makes the folder and writes the manifest. What an earlier run with the same options left is kept, and
    /// its experiments stay in the report; one with other options is refused.
    @discardableResult
    package func begin(_ manifest: Manifest) throws -> Manifest {
        var manifest = manifest
        if FileManager.default.fileExists(atPath: manifestPath) {
            let known = try read()
            var comparable = known
            (comparable.experiments, comparable.machine, comparable.version) = (
                manifest.experiments, manifest.machine, manifest.version
            )
            guard comparable == manifest else {
                throw FileError(
                    path: path, kind: .system,
                    reason:
                        "holds a lab with other options (\(known.command)); choose another --output"
                )
            }
            let names = Set(known.experiments).union(manifest.experiments)
            manifest.experiments = Experiment.all.map(\.name).filter { names.contains($0) }
        }
        for name in manifest.experiments { try makeFolder("/\(name)/trials") }
        try AtomicFile.write(JSONLines.encode(manifest) + "\n", to: manifestPath)
        return manifest
    }

    public func read() throws -> Manifest {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try InputFile(manifestPath).bytes(limit: 1 << 20) } catch {
            guard error.kind == .notFound else { throw error }
            throw FileError(
                path: path, kind: .notFound, reason: "no lab here: there is no lab.json")
        }
        guard let manifest = JSONLines.decode(bytes, as: Manifest.self) else {
            throw FileError.malformed(manifestPath, "this does not describe a lab")
        }
        return manifest
    }

    // MARK: - Finished trials

    /// The file of a finished trial.
    package struct Record: Codable {
        package var stamp: String
        package var configuration: String
        package var seed: Int
        package var outcome: Outcome

        package static let suffix = ".json"
        /// Of the file that tells how the trial goes, in place of ``suffix``.
        package static let progressSuffix = ".progress.jsonl"
    }

    package func save(
        _ outcome: Outcome, _ experiment: Experiment, _ configuration: Grid.Configuration,
        seed: Int, data: String
    ) throws {
        let record = Record(
            stamp: Self.stamp(configuration, data), configuration: configuration.name, seed: seed,
            outcome: outcome)
        try AtomicFile.write(
            JSONLines.encode(record) + "\n", to: trialPath(experiment, configuration, seed: seed))
    }

    /// What an earlier run found; nil when it did not finish, or did something else.
    func load(
        _ experiment: Experiment, _ configuration: Grid.Configuration, seed: Int, data: String
    ) -> Outcome? {
        let path = trialPath(experiment, configuration, seed: seed)
        guard let bytes = try? InputFile(path).bytes(limit: 1 << 28),
            let record = JSONLines.decode(bytes, as: Record.self),
            record.stamp == Self.stamp(configuration, data), record.seed == seed
        else { return nil }
        return record.outcome
    }

    /// Where a trial tells how it goes.
    func progressPath(
        _ experiment: Experiment, _ configuration: Grid.Configuration, seed: Int
    ) -> String {
        String(
            trialPath(experiment, configuration, seed: seed).dropLast(Record.suffix.count))
            + Record.progressSuffix
    }

    private static func stamp(_ configuration: Grid.Configuration, _ data: String) -> String {
        "\(configuration.trial.stamp) | data \(data)"
    }

    private func trialPath(
        _ experiment: Experiment, _ configuration: Grid.Configuration, seed: Int
    ) -> String {
        "\(path)/\(experiment.name)/trials/\(Self.fileName(configuration, seed: seed))"
    }

    package static func fileName(_ configuration: Grid.Configuration, seed: Int) -> String {
        let name = configuration.levels.map(\.level.label).joined(separator: "_")
        let plain = name.map {
            $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "." || $0 == "_" ? $0 : "-"
        }
        return "\(String(plain))_seed-\(seed)\(Record.suffix)"
    }

    /// What there is of an experiment.
    package func results(_ experiment: Experiment, _ options: LabOptions) -> Results {
        Results(
            entries: experiment.grid(options).configurations.map { configuration in
                let pairs = (0..<options.seeds).compactMap { seed in
                    load(experiment, configuration, seed: seed, data: options.data).map {
                        (seed, $0)
                    }
                }
                return Results.Entry(
                    configuration: configuration,
                    outcomes: Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
            })
    }
}
