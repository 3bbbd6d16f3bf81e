import Foundation
import Interchange

/// Keeps a run folder up to date while a training runs: metrics and model after each epoch, checkpoints
/// after each epoch, after each interval, and at the end.
public final class RunRecorder: TrainingCallback {
    public let folder: RunFolder
    /// Between checkpoints within an epoch.
    public let interval: Duration
    /// See ``Checkpoint/dataForm``.
    private let dataForm: String?
    private var metricsByteCount: Int
    private var lastSave = ContinuousClock.now
    private var savedStep: Int?

    public init(
        _ folder: RunFolder, dataForm: String? = nil, metricsByteCount: Int = 0,
        interval: Duration = .seconds(30)
    ) {
        self.folder = folder
        self.dataForm = dataForm
        self.metricsByteCount = metricsByteCount
        self.interval = interval
    }

    override public func stepDidEnd(_ session: TrainingSession) throws {
        // The end of an epoch saves anyway, once its metrics are known.
        let ends = session.progress.step % session.stepsPerEpoch == 0
        if !ends, ContinuousClock.now - lastSave >= interval { try save(session) }
    }

    override public func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) throws {
        metricsByteCount = try folder.appendMetrics(report.json)
        try Safetensors.write(session.results, to: folder.model)
        try save(session)
    }

    override public func trainingDidEnd(_ session: TrainingSession, _ history: TrainingHistory)
        throws
    {
        if savedStep != session.progress.step {
            try Safetensors.write(session.results, to: folder.model)
            try save(session)
        }
    }

    private func save(_ session: TrainingSession) throws {
        try folder.save(
            Checkpoint(
                session.trainer, progress: session.progress, metricsByteCount: metricsByteCount,
                dataForm: dataForm))
        lastSave = .now
        savedStep = session.progress.step
    }
}

extension EpochReport {
    /// The report as one line of JSON, as `metrics.jsonl` holds it.
    public var json: String {
        var fields: [(String, String)] = [
            ("epoch", "\(epoch)"), ("step", "\(step)"), ("trainLoss", Self.number(trainLoss)),
        ]
        if let validation {
            fields.append(("testLoss", Self.number(validation.loss)))
            for (name, value) in validation.metrics.sorted(by: { $0.key < $1.key }) {
                fields.append(
                    ("test" + name.prefix(1).uppercased() + name.dropFirst(), Self.number(value)))
            }
        }
        fields.append(("samplesPerSecond", Self.number(samplesPerSecond)))
        fields.append(("seconds", Self.number(seconds)))
        return "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// JSON has no NaN.
    private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
}
