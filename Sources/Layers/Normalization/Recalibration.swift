import Arrays
import Graph
import Normalization
import Runtime

/// Listens to the batch norms that a call reaches, and takes the moments of what they are given.
public final class MomentObserver {
    /// The norms in the order in which they were reached; one that is used twice is listed once.
    public private(set) var order: [BatchNorm] = []
    /// The one whose moments are wanted; nil only lists.
    private let target: BatchNorm?
    /// The norms with what they were given, once for each time that they were reached.
    private(set) var inputs: [(norm: BatchNorm, input: Tensor)] = []
    fileprivate private(set) var found: [MomentTensors] = []

    init(_ target: BatchNorm? = nil) { self.target = target }

    func observe(_ norm: BatchNorm, _ input: Tensor, weights: Tensor?) {
        inputs.append((norm, input))
        if !order.contains(where: { $0 === norm }) { order.append(norm) }
        if norm === target { found.append(input.moments(axis: norm.axis, weights: weights)) }
    }
}

extension Module {
    /// Recomputes the running statistics of every batch norm exactly over a set of batches: moments of
    /// unequal batches merge, so how the data is split does not matter.
    ///
    /// The norms are done one after the other, each with the statistics that those before it now have, so
    /// that the result is what inference sees over this data. That takes a pass over the data for each. A
    /// norm whose moments are not finite, or that no batch reaches, keeps what it has.
    ///
    /// - Parameters:
    ///   - batchCount: how many batches there are.
    ///   - batch: the arrays of a batch.
    ///   - input: makes the module's input of them; the module itself is called on it.
    /// - Returns: the norms that were recomputed.
    @discardableResult
    public func recalibrate(
        batchCount: Int, workers: Workers = .shared, batch: (Int) -> [NDArray],
        input: @escaping ([Tensor]) -> Tensor
    ) -> [BatchNorm] {
        guard batchCount > 0 else { return [] }
        let listing = MomentObserver()
        let specs = batch(0).map { TensorSpec($0.shape, $0.elementType) }
        _ = TracedStep(inputs: specs) { [self($0, input, listing)] }
        return listing.order.filter { norm in
            guard let statistics = norm.statistics else { return false }
            let step = Step(workers: workers) { inputs in
                let observer = MomentObserver(norm)
                _ = self(inputs, input, observer)
                return observer.found.flatMap { [$0.count, $0.mean + $0.low, $0.variance] }
            }
            var total = ChannelMoments(emptyWithChannels: norm.channels)
            for index in 0..<batchCount {
                let outputs = step.run(batch(index)).outputs
                for part in stride(from: 0, to: outputs.count, by: 3) {
                    let count = outputs[part].item(as: Double.self)
                    let variance: [Double] = outputs[part + 2].elements()
                    total = total.merged(
                        with: ChannelMoments(
                            count: count, mean: outputs[part + 1].elements(),
                            squaredDistances: variance.map { $0 * count }))
                }
            }
            return statistics.set(total, batches: batchCount)
        }
    }

    /// The same for batches that are the module's inputs.
    @discardableResult
    public func recalibrate(_ batches: [NDArray], workers: Workers = .shared) -> [BatchNorm] {
        recalibrate(
            batchCount: batches.count, workers: workers, batch: { [batches[$0]] }, input: { $0[0] })
    }

    private func callAsFunction(
        _ inputs: [Tensor], _ input: ([Tensor]) -> Tensor, _ observer: MomentObserver
    ) -> Tensor {
        var context = Context(.inference)
        context.observer = observer
        return self(input(inputs), context)
    }
}

extension RunningStatistics {
    /// Takes the moments of a whole population. False, and nothing changes, when there are no values or
    /// some are not finite.
    func set(_ moments: ChannelMoments, batches: Int) -> Bool {
        let variances = moments.variance(variance)
        guard moments.count > 0, (moments.mean + variances).allSatisfy(\.isFinite) else {
            return false
        }
        func limited(_ numbers: [Double], _ state: State) -> NDArray {
            let type = state.value.elementType
            let limit =
                type == .float32 ? Double(Float.greatestFiniteMagnitude) : .greatestFiniteMagnitude
            return NDArray(numbers.map { min(max($0, -limit), limit) }).converted(to: type)
        }
        runningMean.value = limited(moments.mean, runningMean)
        runningVariance.value = limited(variances, runningVariance)
        batchCount.value = NDArray(scalar: Int64(batches))
        return true
    }
}
