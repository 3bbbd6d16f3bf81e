import Arrays
import Datasets
import Graph
import Layers

/// Is told how a training goes, and may stop it. Override what is of interest.
open class TrainingCallback {
    public init() {}

    open func trainingWillBegin(_ session: TrainingSession) throws {}
    /// Before each batch.
    open func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) throws {}
    /// After each batch, skipped or not.
    open func stepDidEnd(_ session: TrainingSession) throws {}
    /// A batch was skipped because what the labels name was not finite.
    open func batchWasSkipped(_ session: TrainingSession, labels: [String]) throws {}
    open func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) throws {}
    open func trainingDidEnd(_ session: TrainingSession, _ history: TrainingHistory) throws {}
}

/// A batch that is about to be trained on.
public struct TrainingBatch: Sendable {
    /// The inputs of the training step.
    let inputs: [NDArray]
    /// The number of samples.
    public let count: Int
    /// The learning rate of the step, schedule included.
    public let learningRate: Double
}

/// A training while it runs, as callbacks see it.
public final class TrainingSession {
    public let trainer: Trainer
    /// What is trained on.
    public let data: Dataset
    /// Samples in a step: the batches that are accumulated, together.
    public let samplesPerStep: Int
    /// The number of batches in an epoch, and in the whole training.
    public let stepsPerEpoch: Int
    public let totalSteps: Int
    /// Up to date whenever a callback is called; at the end of an epoch it stands at the next one's start.
    public internal(set) var progress: TrainingProgress
    /// The mean loss of the last batch; NaN before the first.
    public internal(set) var lastLoss = Double.nan
    /// Samples, batches and seconds of training since the session began, without validation and callbacks.
    public internal(set) var trainedSamples = 0
    public internal(set) var stepsTaken = 0
    public internal(set) var trainingSeconds = 0.0
    /// With an average of the weights: the model's variables with that and the statistics that belong to
    /// it, as of the last evaluation, and its step.
    var averagedValues: [NDArray]?
    var averagedStep: Int?
    /// Set when someone asked to stop.
    public private(set) var stopReason: StopReason?

    init(
        trainer: Trainer, data: Dataset, samplesPerStep: Int, stepsPerEpoch: Int, totalSteps: Int,
        progress: TrainingProgress
    ) {
        self.trainer = trainer
        self.data = data
        self.samplesPerStep = samplesPerStep
        self.stepsPerEpoch = stepsPerEpoch
        self.totalSteps = totalSteps
        self.progress = progress
    }

    /// The parameters and states that the training would give if it ended here: the model's, or the
    /// averaged ones, as of the last evaluation.
    public var results: [String: NDArray] {
        let variables = trainer.model.namedVariables
        let values = averagedValues ?? variables.map(\.variable.value)
        return Dictionary(
            zip(variables.map(\.name), values), uniquingKeysWith: { first, _ in first })
    }

    /// The present epoch, counted from 1.
    public var epoch: Int { progress.step / stepsPerEpoch + 1 }

    /// Ends the training after the present step (at the end of an epoch, after its validation).
    public func stop(_ reason: StopReason) {
        if stopReason == nil { stopReason = reason }
    }
}
