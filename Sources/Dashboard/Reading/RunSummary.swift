import Foundation
import Lab
import Training

/// What the list of runs shows of one.
package struct RunSummary: Codable, Hashable, Sendable {
    package enum State: String, Codable {
        case running, finished, stopped, interrupted
        /// Its process ended without a word.
        case broken
        /// It wrote nothing of its progress: it is older than such files, or has not begun.
        case unknown
    }

    package var id: String
    /// Of a lab's training.
    package var experiment: String?
    package var state = State.unknown
    package var step: Int?
    var totalSteps: Int?
    var epoch: Int?
    var loss: Double?
    var testLoss: Double?
    package var testAccuracy: Double?
    var samplesPerSecond: Double?
    /// Of training, and since 1970 at the last line.
    var seconds: Double?
    var time: Double?
    /// What was trained and how, in a few words each.
    package var setting: [String] = []
    /// Whether looks into the layers were recorded.
    package var hasLayers = false
    /// Changes whenever one of its files does.
    var revision = 0

    init(_ location: RunLocation) {
        id = location.id
        if case .trial(_, let name) = location.kind { experiment = name }
    }
}

/// The last lines of a run's files.
struct RunEnd {
    private(set) var progress: ProgressLine?
    private(set) var epoch: RunReport.EpochLine?
    private(set) var trial: LabFolder.Record?
    private(set) var isLocked = false

    init(_ location: RunLocation, in folder: ConfinedFolder) {
        if let file = folder.file(location.progress) {
            progress = Self.last(file, ProgressLine.self)
            isLocked = file.isLocked
        }
        switch location.kind {
        case .training(let metrics):
            epoch = folder.file(metrics).flatMap { Self.last($0, RunReport.EpochLine.self) }
        case .trial(let outcome, _): trial = LabFolder.Record(folder, outcome)
        }
    }

    /// The last whole line of a file that can be read.
    private static func last<Line: Decodable>(_ file: ConfinedFile, _ type: Line.Type) -> Line? {
        guard let size = file.status.map({ Int($0.st_size) }) else { return nil }
        for length in [2048, 1 << 16] {
            let bytes = file.bytes(max(size - length, 0)..<size)
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            // An unfinished line does not count, nor one whose beginning is not among the bytes.
            let whole = lines.dropLast(bytes.last == UInt8(ascii: "\n") ? 0 : 1)
            for line in whole.reversed() {
                if let value = JSONLines.decode(line, as: type) { return value }
            }
            if size <= length { break }
        }
        return nil
    }
}

extension RunSummary {
    mutating func take(_ end: RunEnd) {
        if let progress = end.progress {
            (step, totalSteps, epoch) = (progress.step, progress.totalSteps, progress.epoch)
            (seconds, time) = (progress.seconds, progress.time)
            samplesPerSecond = progress.samplesPerSecond
            loss = progress.loss ?? loss
        }
        if let line = end.epoch {
            if end.progress == nil {
                (step, epoch, loss) = (line.step, line.epoch, line.trainLoss)
                samplesPerSecond = line.samplesPerSecond
            }
            (testLoss, testAccuracy) = (line.testLoss, line.testAccuracy)
            loss = loss ?? line.trainLoss
        }
        if let scalars = end.trial?.outcome.scalars {
            (testLoss, testAccuracy) = (scalars["testLoss"], scalars["testAccuracy"])
            loss = scalars["trainLoss"] ?? loss
        }
        state =
            if end.isLocked {
                .running
            } else if let ending = end.progress?.ending {
                switch ending {
                case .finished: .finished
                case .stopped: .stopped
                case .interrupted: .interrupted
                }
            } else if end.trial != nil {
                .finished
            } else {
                end.progress == nil ? .unknown : .broken
            }
    }

    /// What a configuration says, for those who choose among runs.
    static func setting(_ configuration: RunConfiguration) -> [String] {
        var words: [String] = []
        let norm = configuration.norm == .none ? "no" : configuration.norm.rawValue
        if let architecture = configuration.architecture {
            words.append("\(architecture.rawValue), \(norm) norm")
        } else if configuration.model != nil {
            words.append("own layers")
        } else {
            let widths = configuration.hidden.map(String.init).joined(separator: "-")
            words.append("mlp \(widths), \(norm) norm")
        }
        words.append("\(configuration.optimizer.rawValue) \(configuration.learningRate)")
        words.append("batch \(configuration.samplesPerStep)")
        words.append("seed \(configuration.seed)")
        words += configuration.data.split(separator: "/").suffix(1).map(String.init)
        return words
    }
}
