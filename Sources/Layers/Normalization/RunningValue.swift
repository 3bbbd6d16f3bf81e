import Arrays
import Graph
import Normalization

/// One running vector, mean or variance, and what its kind of average needs to know of the past.
final class RunningValue {
    let average: RunningAverage
    let value: State
    /// The sum of weights so far, for debiased and count-weighted averages. `[channels]`
    private let total: State?
    /// The last valid batches of a sliding average, the newest in the last row, and their weights.
    /// `[window, channels]`
    private let recent: State?
    private let shares: State?

    init(_ name: String, prefix: String, channels: Int, initial: Double, average: RunningAverage) {
        self.average = average
        value = State(
            prefix + "running_" + name, NDArray(repeating: Float(initial), shape: [channels]))
        total =
            average.retention != nil && !average.followsBatchCount
            ? State(prefix + "total_weight_" + name, NDArray(zeros: [channels], .float64)) : nil
        guard case .sliding(let length) = average.kind else {
            (recent, shares) = (nil, nil)
            return
        }
        recent = State(prefix + "window_" + name, NDArray(zeros: [length, channels]))
        shares = State(
            prefix + "window_weight_" + name, NDArray(zeros: [length, channels], .float64))
    }

    var states: [State] { [value, total, recent, shares].compactMap { $0 } }

    /// What a proposal reckons with.
    struct Batch {
        /// The number of batches before this one, float64.
        let number: Tensor
        /// The number of values of a channel, float64.
        let count: Tensor
        /// 1 where the channel's moments exist and are finite, else 0; float64, `[channels]`.
        let validity: Tensor
    }

    /// Proposes what follows from one more batch; channels without valid moments keep what they have.
    ///
    /// - Parameter found: the batch's values, 0 where they are not valid.
    func propose(_ found: Tensor, _ batch: Batch) {
        let share = average.isWeightedByCount ? batch.count : Tensor.ones([], .float64)
        if let recent, let shares, case .sliding(let length) = average.kind {
            slide(recent, shares, length, found, share, batch)
        } else {
            follow(value, found, batch, weight: weightOfNewBatch(share, batch))
        }
    }

    private func follow(_ state: State, _ found: Tensor, _ batch: Batch, weight: Tensor) {
        state.propose(
            state.tensor.following(found, validity: batch.validity, weight: weight))
    }

    /// Sets the channels that have valid moments.
    private func set(_ state: State, _ new: Tensor, _ batch: Batch) {
        follow(state, new, batch, weight: .ones([], .float64))
    }

    /// See `RunningAverage.sequence`, which says the same in numbers.
    private func weightOfNewBatch(_ share: Tensor, _ batch: Batch) -> Tensor {
        if average.followsBatchCount { return (batch.number + 1).reciprocal() }
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
        set(total, sum, batch)
        return share / sum
    }

    private func slide(
        _ recent: State, _ shares: State, _ length: Int, _ found: Tensor, _ share: Tensor,
        _ batch: Batch
    ) {
        let row: Shape = [1, recent.variable.spec.shape[1]]
        func moved(_ state: State, in new: Tensor) -> Tensor {
            let old = state.tensor.cast(to: .float64)
            let rest = length > 1 ? [old.sliced(1..<length, axis: 0)] : []
            let next = Tensor.concatenate(rest + [new.broadcast(to: row)], axis: 0)
            return Tensor.select(batch.validity .> 0, next, old)
        }
        let values = moved(recent, in: found)
        let weights = moved(shares, in: share)
        // The rows hold what its type can, so the average is of what they hold.
        recent.propose(values.clamped(to: recentLimit(recent)))
        shares.propose(weights)
        let mean = (values * weights).sum(axes: [0]) / weights.sum(axes: [0])
        set(value, mean, batch)
    }

    private func recentLimit(_ recent: State) -> ClosedRange<Double> {
        let limit =
            recent.variable.spec.type == .float32
            ? Double(Float.greatestFiniteMagnitude) : .greatestFiniteMagnitude
        return -limit...limit
    }
}

extension RunningAverage {
    /// Whether the weight of a batch follows from the number of batches before it alone.
    var followsBatchCount: Bool { kind == .cumulative && !isWeightedByCount }
}
