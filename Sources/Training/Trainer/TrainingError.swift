import Datasets

/// Why a training could not go on, as a sentence.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Model, data and options do not fit together.
    case invalid(String)
    /// Batches were skipped again and again because something was not finite.
    case tooManyBadBatches(step: Int, labels: [String], count: Int)

    public var description: String {
        switch self {
        case .invalid(let reason): reason
        case .tooManyBadBatches(let step, let labels, let count):
            "\(count) batches in a row were not finite, the last in step \(step) "
                + "(\(labels.joined(separator: ", "))); lower the learning rate or look at the data"
        }
    }
}
