/// What was seen inside a model at one step of its training, before the step changed it: a line of
/// `statistics.jsonl`.
public struct StepStatistics: Codable, Hashable, Sendable {
    /// The number of batches taken before.
    public var step: Int
    /// Counted from 1.
    public var epoch: Int
    /// The step's learning rate, schedule included.
    public var learningRate: Double
    /// The mean loss of the batch.
    public var loss: Double
    /// Samples per second of training since the look before, the time of looking left out; 0 at the first.
    public var samplesPerSecond: Double
    /// The memory that the process occupies.
    public var memoryBytes: Int
    /// In the order in which the layers were called.
    public var layers: [Layer]
    /// The trainable parameters.
    public var parameters: [Parameter]
    /// The layers that keep running statistics: batch norm and its relatives.
    public var norms: [Norm]

    /// In percent: which percentiles of a layer's outputs are kept.
    public static let percentileLevels = [0, 5, 15, 25, 50, 75, 85, 95, 100]

    /// The outputs of a layer over the batch: of at most ``StepObserver/sampleCount`` of them, always at
    /// the same positions.
    public struct Layer: Codable, Hashable, Sendable {
        /// Where it is in the model, such as `layers.1`.
        public var name: String
        /// Its type, such as `Dense`.
        public var kind: String
        /// At ``StepStatistics/percentileLevels``.
        public var percentiles: [Float]
        public var mean: Float
        public var deviation: Float
    }

    /// A parameter and its gradient, before clipping and weight decay.
    public struct Parameter: Codable, Hashable, Sendable {
        /// Such as `layers.1.weight`.
        public var name: String
        /// Euclidean.
        public var norm: Double
        /// Euclidean.
        public var gradientNorm: Double
    }

    /// Running statistics of a layer against the batch's.
    public struct Norm: Codable, Hashable, Sendable {
        public var name: String
        /// The root of the mean over channels of ((running mean - batch mean) / batch deviation)^2; 0 where
        /// no running mean is kept.
        public var meanGap: Double
        /// The mean over channels of |ln(running variance / batch variance)|, with the norm's epsilon
        /// added to both.
        public var varianceGap: Double
        /// Of the first ``shownChannels`` channels; empty where no running mean is kept.
        public var runningMean: [Float]
        public var batchMean: [Float]
        public var runningVariance: [Float]
        /// Biased or unbiased, as the running one.
        public var batchVariance: [Float]

        public static let shownChannels = 4
    }
}
