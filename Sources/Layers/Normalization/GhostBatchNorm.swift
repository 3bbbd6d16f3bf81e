import Arrays
import Graph
import Normalization

/// Ghost batch normalization (Hoffer, Hubara and Soudry 2017): a large batch is cut along axis 0 into
/// ghost batches that are normalized each by its own statistics, as small batches would be.
///
/// The last ghost batch is smaller where the size does not divide the batch; where that would leave it one
/// value per channel, which has no statistics, it goes with the ghost batch before it. Running statistics
/// follow the ghost batches one after the other. Inference, shapes and states are those of ``BatchNorm``.
public final class GhostBatchNorm: Module {
    public let ghostSize: Int
    /// The normalization of a ghost batch; its parameters and states have its names.
    public let norm: BatchNorm

    /// - Parameter ghostSize: samples per ghost batch, at least 1.
    public init(
        ghostSize: Int, _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5,
        average: RunningAverage? = .pytorch(), variance: VarianceKind = .unbiased,
        scale: Bool = true, center: Bool = true
    ) {
        precondition(ghostSize > 0, "GhostBatchNorm: expected a positive size, found \(ghostSize)")
        self.ghostSize = ghostSize
        norm = BatchNorm(
            channels, axis: axis, epsilon: epsilon, average: average, variance: variance,
            scale: scale, center: center)
        super.init()
    }

    override public func members() -> [(name: String, member: Module.Member)] { norm.members() }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        normalize(input, context, mask: nil)
    }

    /// The same with a mask; see ``BatchNorm/callAsFunction(_:_:mask:)``.
    public func callAsFunction(_ input: Tensor, _ context: Context, mask: Tensor) -> Tensor {
        normalize(input, context.entering(self), mask: mask)
    }

    private func normalize(_ input: Tensor, _ context: Context, mask: Tensor?) -> Tensor {
        checkChannels(input, norm.channels, axis: norm.axis, context)
        guard context.isTraining, input.shape[0] > ghostSize else {
            return norm.normalize(input, context, mask: mask)
        }
        let samples = input.shape[0]
        let positions = input.shape.elementCount / (samples * norm.channels)
        var ranges = stride(from: 0, to: samples, by: ghostSize).map {
            $0..<min($0 + ghostSize, samples)
        }
        if ghostSize > 1, ranges.last!.count * positions == 1 {
            ranges.removeLast()
            ranges.append(ranges.removeLast().lowerBound..<samples)
        }
        var parts: [Tensor] = []
        // Ghost batches with nothing special about them go together.
        if mask == nil, ghostSize * positions > 1, norm.usesBatch(context) {
            let full = ranges.prefix { $0.count == ghostSize }
            if let end = full.last?.upperBound {
                let whole = end == samples ? input : input.sliced(0..<end, axis: 0)
                parts.append(normalizeTogether(whole, context))
            }
            ranges.removeFirst(full.count)
        }
        for range in ranges {
            parts.append(
                norm.normalize(
                    input.sliced(range, axis: 0), context, mask: mask?.sliced(range, axis: 0)))
        }
        return parts.count == 1 ? parts[0] : Tensor.concatenate(parts, axis: 0)
    }

    /// Ghost batches without remainder: each is a row of its own, and each channel a group.
    private func normalizeTogether(_ input: Tensor, _ context: Context) -> Tensor {
        let ghosts = input.shape[0] / ghostSize
        if let observer = context.observer {
            for ghost in 0..<ghosts {
                let range = (ghost * ghostSize)..<((ghost + 1) * ghostSize)
                observer.observe(norm, input.sliced(range, axis: 0), weights: nil)
            }
        }
        let axis = input.shape.normalized(axis: norm.axis) + 1
        return input.throughFloat32 { x in
            let rows = x.reshape(Shape([ghosts, ghostSize] + x.shape.dropFirst()))
            let moments = rows.groupMoments(axis: axis, groups: norm.channels)
            moments.variance.requireFinite("\(context.label): ghost batch variance")
            if norm.follows(context), Trace.current != nil { propose(moments, of: rows) }
            return rows.groupScale(
                axis: axis, groups: norm.channels, mean: moments.mean, low: moments.low,
                scale: inverseDeviation(moments.variance, epsilon: norm.epsilon),
                gamma: norm.gamma?.tensor.cast(to: .float64),
                beta: norm.beta?.tensor.cast(to: .float64)
            ).reshape(x.shape)
        }
    }

    /// Running statistics follow the ghost batches one after the other.
    private func propose(_ moments: GroupMomentTensors, of rows: Tensor) {
        let count = rows.shape.elementCount / (rows.shape[0] * norm.channels)
        for ghost in 0..<rows.shape[0] {
            func row(_ statistics: Tensor) -> Tensor {
                statistics.sliced(ghost..<(ghost + 1), axis: 0).reshape([norm.channels])
            }
            norm.statistics?.propose(
                MomentTensors(
                    count: Tensor(NDArray(scalar: Double(count))), mean: row(moments.mean),
                    low: row(moments.low), variance: row(moments.variance)))
        }
    }
}
