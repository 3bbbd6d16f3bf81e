import Lab
import Training

/// Where the files of a run are, as names below the dashboard's folder.
struct RunLocation: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A run of `evenkeel train`.
        case training(metrics: String)
        /// A training of a lab.
        case trial(outcome: String, experiment: String)
    }

    /// The name by which pages ask for it.
    let id: String
    let kind: Kind
    let progress: String
    let statistics: String?
    let configuration: String?
    /// The file that stops it, or the lab that it belongs to.
    let stop: String

    /// A run's folder; the empty name is the dashboard's folder itself.
    init(run folder: String) {
        // Says where in a run's folder its files are.
        let files = RunFolder(folder.isEmpty ? "." : folder)
        func name(_ path: String) -> String { folder.isEmpty ? String(path.dropFirst(2)) : path }
        id = folder.isEmpty ? "." : folder
        kind = .training(metrics: name(files.metrics))
        progress = name(files.progress)
        statistics = name(files.statistics)
        configuration = name(files.configuration)
        stop = name("\(files.path)/\(StopRequest.fileName)")
    }

    /// A trial, by its file's name without the ending.
    init(trial name: String, experiment: String, lab: String) {
        let base = lab.isEmpty ? "" : lab + "/"
        let stem = "\(base)\(experiment)/trials/\(name)"
        id = stem
        kind = .trial(outcome: stem + LabFolder.Record.suffix, experiment: experiment)
        progress = stem + LabFolder.Record.progressSuffix
        statistics = nil
        configuration = nil
        stop = base + StopRequest.fileName
    }

    /// All its files, in a fixed order.
    var files: [String] {
        switch kind {
        case .training(let metrics):
            [progress, metrics] + [statistics, configuration].compactMap { $0 }
        case .trial(let outcome, _): [progress, outcome]
        }
    }
}
