import Datasets

/// Whether a run brings the channels of its data to mean 0 and deviation 1.
public enum NormalizationChoice: Hashable, Sendable {
    case none
    /// By the statistics of the training data, which are not known yet.
    case byTrainingData
    /// By these statistics: what a run's folder holds once it has begun, so that other data is treated as
    /// the training data was.
    case by(ChannelNormalization)

    /// The same with statistics that are known.
    public func resolved(_ training: Dataset) throws(DatasetError) -> NormalizationChoice {
        self == .byTrainingData ? .by(try ChannelNormalization(of: training)) : self
    }

    /// The data as the choice says; the statistics must be known.
    func apply(_ data: Dataset) throws(DatasetError) -> Dataset {
        switch self {
        case .none: data
        case .byTrainingData: try data.normalized(by: ChannelNormalization(of: data))
        case .by(let statistics): try data.normalized(by: statistics)
        }
    }
}
