/// How a training went since the line before: a line of `progress.jsonl`.
public struct ProgressLine: Codable, Hashable, Sendable {
    /// The number of batches taken so far, and in the whole training.
    public var step: Int
    public var totalSteps: Int
    /// Counted from 1.
    public var epoch: Int
    /// Seconds of training since the run began, the sessions before a resumption included.
    public var seconds: Double
    /// When the line was written, in seconds since 1970.
    public var time: Double
    /// The mean, the lowest and the highest loss of the batches; nil where none was taken.
    public var loss: Double?
    public var lowestLoss: Double?
    public var highestLoss: Double?
    /// Of the last step, schedule included.
    public var learningRate: Double?
    public var samplesPerSecond: Double?
    /// On the last line of a session only.
    public var ending: Ending?

    /// How a session came to its end.
    public enum Ending: String, Codable, Hashable, Sendable {
        case finished
        /// By early stopping.
        case stopped
        /// By Ctrl-C or a ``StopRequest``; the run can go on.
        case interrupted

        init(_ reason: StopReason) {
            switch reason {
            case .finished: self = .finished
            case .earlyStopping: self = .stopped
            case .interrupted: self = .interrupted
            }
        }
    }
}
