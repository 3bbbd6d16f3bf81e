import Arrays
import Graph
import Normalization

/// Ghost batch normalization (Hoffer, Hubara and Soudry 2017): a large batch is cut along axis 0 into
/// ghost batches that are normalized each by its own statistics, as small batches would be.
///
/// The last ghost batch is smaller where the size does not divide the batch. Running statistics follow the
/// ghost batches one after the other. Inference, shapes and states are those of ``BatchNorm``.
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
        let parts = stride(from: 0, to: samples, by: ghostSize).map { start in
            let range = start..<min(start + ghostSize, samples)
            return norm.normalize(
                input.sliced(range, axis: 0), context, mask: mask?.sliced(range, axis: 0))
        }
        return Tensor.concatenate(parts, axis: 0)
    }
}
