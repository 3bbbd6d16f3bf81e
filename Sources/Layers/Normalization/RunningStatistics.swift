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

    /// Traps where there is none.
    public var runningMean: State {
        guard let mean else { preconditionFailure("these statistics have no running mean") }
        return mean.value
    }

    public var runningVariance: State { square.value }

    /// The states, for the layer's members.
    var members: [(name: String, member: Module.Member)] {
        let states = [mean?.value, square.value, batchCount].compactMap { $0 }
        let rest = (mean?.states.dropFirst() ?? []) + square.states.dropFirst()
        return (states + rest).map { ($0.name, .state($0)) }
    }

    /// Proposes the statistics that follow from one more batch. An empty batch changes nothing.
    func propose(_ moments: MomentTensors) {
        let count = moments.count
        let batchMean = moments.mean + moments.low
        var batchVariance = moments.variance
        // Differences of a number from itself are 0 unless it is infinite or NaN; so is 0 / count unless
        // there are no values.
        let zero = (batchMean - batchMean) + (batchVariance - batchVariance) + (count * 0) / count
        let isValid = zero .== 0
        if variance == .unbiased {
            // Of a single value there is no unbiased variance; its biased one, 0, stands in.
            let one = Tensor.ones([], .float64)
            batchVariance = batchVariance * (count / Tensor.maximum(count - 1, one))
        }
        let number = batchCount.tensor.cast(to: .float64)
        let batch = RunningValue.Batch(number: number, count: count, isValid: isValid)
        mean?.propose(batchMean, batch)
        square.propose(batchVariance, batch)
        let isCounted = isValid.cast(to: .float64).sum() .> 0
        batchCount.propose(number + isCounted.cast(to: .float64))
    }
}
