/// What a model achieves on a data set, with running statistics and without dropout.
public struct Evaluation: Hashable, Sendable {
    /// The mean loss of a sample.
    public var loss: Double
    /// By the metrics' names, such as `accuracy`.
    public var metrics: [String: Double]
    public var sampleCount: Int
}

/// What an epoch gave.
public struct EpochReport: Hashable, Sendable {
    /// Counted from 1.
    public var epoch: Int
    /// The number of batches taken since the training began.
    public var step: Int
    /// The mean loss of a sample while training, each in the state the model was in then.
    public var trainLoss: Double
    public var validation: Evaluation?
    /// Samples per second of training alone: without validation, checkpoints and callbacks.
    public var samplesPerSecond: Double
    /// Seconds of training alone.
    public var seconds: Double
    /// Whether all batches of the epoch were taken; a training that ends after a number of steps may not.
    public var isComplete: Bool
}

/// What a training gave.
public struct TrainingHistory: Sendable {
    public var epochs: [EpochReport] = []
    public var stopReason = StopReason.finished
    public var progress = TrainingProgress()

    public init() {}
}
