import Datasets

/// How far a training has come: all that a resumed one needs besides the values of variables.
///
/// The random state is part of it, because everything random follows from the seed and these counts.
public struct TrainingProgress: Hashable, Sendable, Codable {
    /// The number of batches taken so far, skipped ones included.
    public var step = 0
    /// The sum of the losses of the present epoch's samples, over the batches that were not skipped.
    public var lossSum = 0.0
    /// The number of these samples.
    public var sampleCount = 0
    /// Batches skipped in a row, up to now.
    public var skippedInRow = 0

    public init() {}

    /// The mean loss of the present epoch so far; NaN before its first batch.
    public var meanLoss: Double { sampleCount == 0 ? .nan : lossSum / Double(sampleCount) }
}

/// How long a training goes on.
public enum TrainingLength: Hashable, Sendable {
    case epochs(Int)
    case steps(Int)

    /// The number of steps, given how many an epoch has.
    public func steps(perEpoch: Int) -> Int {
        switch self {
        case .epochs(let epochs): epochs * perEpoch
        case .steps(let steps): steps
        }
    }
}

/// Why a training stopped.
public enum StopReason: Hashable, Sendable {
    case finished
    case earlyStopping(String)
    case interrupted
}
