import Arrays
import Datasets
import Layers

/// Warns of what silently hurts a training with normalization, each thing once: what shows in the model
/// and the batch size before it begins, and in values and statistics at the end of each epoch.
///
///     try trainer.fit(data, .epochs(3), batchSize: 128, callbacks: [TrainingDoctor { print($0) }])
///
/// See ``findings(_:_:samplesPerStep:)`` for all of it at once.
public final class TrainingDoctor: TrainingCallback {
    private let report: (String) -> Void
    private var known: Set<String> = []

    /// - Parameter report: is given each warning, a sentence.
    public init(report: @escaping (String) -> Void) {
        self.report = report
        super.init()
    }

    override public func trainingWillBegin(_ session: TrainingSession) {
        let (trainer, data) = (session.trainer, session.data)
        tell(
            ModelWarnings.structure(trainer.model, sample: data.featureShape)
                + Self.batchWarnings(trainer.model, samplesPerStep: session.samplesPerStep)
                + Self.decayWarnings(trainer))
    }

    override public func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) {
        let (trainer, data) = (session.trainer, session.data)
        tell(ModelWarnings.values(trainer.model, sample: data.featureShape))
        let lag = StatisticsLag(trainer, data, samples: session.samplesPerStep)
        tell([lag?.warning].compactMap { $0 })
    }

    /// What is new of it; the same sentence with other numbers is not.
    private func tell(_ warnings: [String]) {
        for warning in warnings where known.insert(warning.filter { !$0.isNumber }).inserted {
            report(warning)
        }
    }

    /// Everything that can be said of a trained model, its trainer and its data.
    public static func findings(
        _ trainer: Trainer, _ data: Dataset, samplesPerStep: Int
    ) -> [String] {
        ModelWarnings.find(trainer.model, sample: data.featureShape)
            + batchWarnings(trainer.model, samplesPerStep: min(samplesPerStep, data.count))
            + decayWarnings(trainer)
            + [StatisticsLag(trainer, data, samples: samplesPerStep)?.warning].compactMap { $0 }
    }

    /// Statistics of fewer samples than this are noise.
    private static let fewSamples = 16

    private static func batchWarnings(_ model: Module, samplesPerStep: Int) -> [String] {
        var groups: [Int: Int] = [:]
        for (_, module) in model.namedModules {
            let size: Int? =
                switch module {
                case let norm as BatchNorm where norm.normalization != .running: samplesPerStep
                case let norm as GhostBatchNorm: min(norm.ghostSize, samplesPerStep)
                case is EvoNormB0: samplesPerStep
                default: nil
                }
            if let size, size < fewSamples { groups[size, default: 0] += 1 }
        }
        return groups.sorted { $0.key < $1.key }.map { size, count in
            "\(count) batch norms take their statistics from \(size) samples at a time, which is mostly "
                + "noise; use batches of \(fewSamples) or more (or accumulate several), GroupNorm, "
                + "BatchRenorm, or frozen statistics"
        }
    }

    private static func decayWarnings(_ trainer: Trainer) -> [String] {
        let decayed = trainer.model.namedParameters.filter { named in
            guard named.parameter.isTrainable,
                named.parameter.role == .scale
                    || named.parameter.role == .shift,
                let group = trainer.optimizer.group(named)
            else { return false }
            return group.weightDecay > 0 || group.l1 > 0
        }
        guard let first = decayed.first else { return [] }
        return [
            "weight decay shrinks \(decayed.count) gammas and betas such as \(first.name), which only "
                + "changes what the normalization gives; leave it to weights: "
                + "ParameterGroup(roles: [.weight], ...)"
        ]
    }
}

/// One batch both ways: normalized by its own statistics and by the running ones. The two should agree;
/// where they do not, evaluation is far from training.
public struct StatisticsLag: Sendable {
    /// The mean loss with the batch's own statistics, and with the running ones; both without dropout.
    public let batchLoss: Double
    public let runningLoss: Double

    /// Nil when the model has no batch norm that normalizes differently in training and in inference.
    public init?(_ trainer: Trainer, _ data: Dataset, samples: Int) {
        let norms = trainer.model.namedModules.compactMap { _, module in
            (module as? BatchNorm) ?? (module as? GhostBatchNorm)?.norm
        }.filter { $0.normalization == .automatic && $0.statistics != nil }
        let count = min(samples, data.count, Self.mostSamples)
        guard !norms.isEmpty, count > 1 else { return nil }
        func loss(_ source: BatchNorm.Source) -> Double {
            for norm in norms { norm.normalization = source }
            defer { for norm in norms { norm.normalization = .automatic } }
            return trainer.measureLoss(data, samples: count)
        }
        batchLoss = loss(.batch)
        runningLoss = loss(.running)
    }

    /// More would tell no more.
    private static let mostSamples = 512

    /// A sentence when the running statistics cost much.
    public var warning: String? {
        guard runningLoss > 1.3 * batchLoss + 0.05 || (!runningLoss.isFinite && batchLoss.isFinite)
        else { return nil }
        func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
        return
            "evaluation is far from training: the loss of one batch is \(rounded(runningLoss)) with "
            + "running statistics and \(rounded(batchLoss)) with the batch's own; they lag behind the "
            + "weights: recalibrate, give new batches more weight, or train on at a lower rate"
    }
}
