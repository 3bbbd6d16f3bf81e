import Arrays
import Graph
import Normalization

/// The running mean and variance of a normalization, and how they follow the batches.
///
/// All are states of the layer: `running_mean` and `running_var` in float32 or better, and
/// `num_batches_tracked`. Averages whose weights depend on the past keep a little more.
///
/// A channel whose batch holds a value that is not finite keeps its statistics bit for bit, and a batch
/// without any finite channel is not counted. A variance beyond the largest number becomes that number.
public final class RunningStatistics {
    public let average: RunningAverage
    /// How the running variance follows; the same as the mean unless chosen otherwise.
    public let varianceAverage: RunningAverage
    public let variance: VarianceKind
    /// Nil for normalizations that divide but do not centre.
    private let mean: RunningValue?
    private let square: RunningValue
    public let batchCount: State

    /// - Parameters:
    ///   - keepsMean: false keeps a variance only.
    ///   - prefix: stands in front of the names of the states.
    public init(
        _ channels: Int, average: RunningAverage, varianceAverage: RunningAverage? = nil,
        variance: VarianceKind, keepsMean: Bool = true, prefix: String = ""
    ) {
        self.average = average
        self.varianceAverage = varianceAverage ?? average
        self.variance = variance
        mean =
            keepsMean
            ? RunningValue(
                "mean", prefix: prefix, channels: channels, initial: 0, average: average) : nil
        square = RunningValue(
            "var", prefix: prefix, channels: channels, initial: 1, average: self.varianceAverage)
        batchCount = State(prefix + "num_batches_tracked", NDArray(scalar: Int64(0)))
    }

    /// Whether there is a running mean.
    public var keepsMean: Bool { mean != nil }

    /// Traps where there is none.
    public var runningMean: State {
        guard let mean else { preconditionFailure("these statistics have no running mean") }
        return mean.value
    }

    public var runningVariance: State { square.value }

    /// Whether no batch has been seen: none was counted, and mean and variance are what they began as. A
    /// count alone says nothing of statistics that come from elsewhere.
    public var wereNeverUpdated: Bool {
        batchCount.value.item(as: Int64.self) == 0
            && Self.areInitial(mean: mean?.value.value, variance: square.value.value)
    }

    /// Whether a running mean, where there is one, and variance are what they begin as: 0 and 1.
    public static func areInitial(mean: NDArray?, variance: NDArray) -> Bool {
        (mean?.elements(as: Double.self) ?? []).allSatisfy { $0 == 0 }
            && variance.elements(as: Double.self).allSatisfy { $0 == 1 }
    }

    /// The states, for the layer's members.
    var members: [(name: String, member: Module.Member)] {
        let states = [mean?.value, square.value, batchCount].compactMap { $0 }
        let rest = (mean?.states.dropFirst() ?? []) + square.states.dropFirst()
        return (states + rest).map { ($0.name, .state($0)) }
    }

    /// Proposes the statistics that follow from one more batch. An empty batch changes nothing.
    func propose(_ moments: MomentTensors) {
        let valid = moments.valid(unbiased: variance == .unbiased)
        let number = batchCount.tensor.cast(to: .float64)
        let batch = RunningValue.Batch(
            number: number, count: valid.count, validity: valid.validity)
        mean?.propose(valid.mean, batch)
        square.propose(valid.variance, batch)
        batchCount.propose(number + valid.counts)
    }
}
