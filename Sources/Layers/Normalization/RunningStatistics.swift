import Arrays
import Graph
import Normalization

/// The running mean and variance of a normalization, and how they follow the batches.
///
/// All are states of the layer: `running_mean` and `running_var` in float32 or better, and
/// `num_batches_tracked`. Averages whose weights depend on the past keep a little more.
public final class RunningStatistics {
    public let average: RunningAverage
    public let variance: VarianceKind
    public let runningMean: State
    public let runningVariance: State
    public let batchCount: State
    /// The sum of weights so far, for debiased and count-weighted averages.
    private let total: State?
    private let window: Window?

    /// The last batches of a sliding average, a ring of rows.
    private struct Window {
        let length: Int
        let means: State
        let variances: State
        let shares: State
    }

    public init(_ channels: Int, average: RunningAverage, variance: VarianceKind) {
        self.average = average
        self.variance = variance
        runningMean = State("running_mean", NDArray(zeros: [channels]))
        runningVariance = State("running_var", NDArray(repeating: Float(1), shape: [channels]))
        batchCount = State("num_batches_tracked", NDArray(scalar: Int64(0)))
        total =
            average.retention == nil
            ? nil : State("total_weight", NDArray(scalar: 0.0))
        if case .sliding(let length) = average.kind {
            window = Window(
                length: length, means: State("window_mean", NDArray(zeros: [length, channels])),
                variances: State("window_var", NDArray(zeros: [length, channels])),
                shares: State("window_weight", NDArray(zeros: [length, 1], .float64)))
        } else {
            window = nil
        }
    }

    /// The states, for the layer's members.
    var members: [(name: String, member: Module.Member)] {
        let states = [
            runningMean, runningVariance, batchCount, total, window?.means, window?.variances,
            window?.shares,
        ]
        return states.compactMap { $0 }.map { ($0.name, .state($0)) }
    }

    /// Proposes the statistics that follow from one more batch. An empty batch changes nothing.
    ///
    /// - Parameter mayBeEmpty: whether the count can be 0, as behind a mask.
    func propose(_ moments: MomentTensors, mayBeEmpty: Bool) {
        let count = moments.count
        let isPresent = mayBeEmpty ? count .> 0 : nil
        func set(_ state: State, _ value: Tensor) {
            let present = state.tensor.cast(to: .float64)
            state.propose(isPresent.map { Tensor.select($0, value, present) } ?? value)
        }
        let batchMean = moments.mean + moments.low
        var batchVariance = moments.variance
        if variance == .unbiased {
            // Of a single value there is no unbiased variance; its biased one, 0, stands in.
            let one = Tensor.ones([], .float64)
            batchVariance = batchVariance * (count / Tensor.maximum(count - 1, one))
        }
        let batches = batchCount.tensor.cast(to: .float64)
        let share = average.isWeightedByCount ? count : Tensor.ones([], .float64)

        if let window {
            slide(window, batches, share, batchMean, batchVariance, set)
        } else {
            let weight = weightOfNewBatch(share, set)
            for (state, value) in [(runningMean, batchMean), (runningVariance, batchVariance)] {
                let old = state.tensor.cast(to: .float64)
                set(state, old + (value - old) * weight)
            }
        }
        set(batchCount, batches + 1)
    }

    /// See `RunningAverage.sequence`, which says the same in numbers.
    private func weightOfNewBatch(_ share: Tensor, _ set: (State, Tensor) -> Void) -> Tensor {
        guard let total, let retention = average.retention else {
            guard case .exponential(let weight) = average.kind else {
                preconditionFailure("only exponential averages have a constant weight")
            }
            return Tensor(repeating: weight, .float64)
        }
        var before = total.tensor
        if average.keepsInitialValue {
            before = Tensor.select(before .== 0, share / (1 - retention), before)
        }
        let sum = before * retention + share
        set(total, sum)
        return share / sum
    }

    private func slide(
        _ window: Window, _ batches: Tensor, _ share: Tensor, _ batchMean: Tensor,
        _ batchVariance: Tensor, _ set: (State, Tensor) -> Void
    ) {
        let length = Tensor(repeating: Double(window.length), .float64)
        let round = (batches / length).cast(to: .int64).cast(to: .float64)
        let row = batches - round * length
        let rows = Tensor(NDArray((0..<window.length).map(Double.init), shape: [window.length, 1]))
        let isRow = rows .== row
        let shares = Tensor.select(isRow, share, window.shares.tensor)
        set(window.shares, shares)
        let total = shares.sum()
        let pairs = [
            (window.means, runningMean, batchMean),
            (window.variances, runningVariance, batchVariance),
        ]
        for (ring, running, value) in pairs {
            let values = Tensor.select(
                isRow, value.reshape([1, -1]), ring.tensor.cast(to: .float64))
            set(ring, values)
            set(running, (values * shares).sum(axes: [0]) / total)
        }
    }
}
