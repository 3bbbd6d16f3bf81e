import Arrays
import Graph

/// Sets elements to zero with probability `rate` while training, and scales up the others so that the
/// expectation stays (Srivastava et al. 2014). Does nothing in inference.
///
/// What is dropped depends on the context's seed, the step, the layer's place in the model and a sample's
/// index in the data set: never on shards, threads or the sample's place in the batch.
public final class Dropout: Module {
    public let rate: Double

    /// Traps unless `rate` is in 0..<1.
    public init(_ rate: Double) {
        precondition(
            rate >= 0 && rate < 1, "Dropout: the rate must be in 0..<1, found \(rate)")
        self.rate = rate
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        guard context.isTraining, rate > 0 else { return input }
        guard let samples = input.shape.first else {
            fail(context, "expected an input with a sample axis, found a scalar")
        }
        let seed = Philox(key: context.seed).derived(stableHash(context.path)).key
        let step = context.step ?? Tensor(NDArray(scalar: Int64(0)))
        let indices =
            context.sampleIndices ?? Tensor(NDArray((0..<samples).map { Int32($0) }))
        guard indices.spec == TensorSpec([samples], .int32) else {
            fail(
                context,
                "expected \(samples) int32 sample indices in the context, found \(indices.spec)")
        }
        return input.throughFloat32 {
            $0.dropout(rate: rate, seed: seed, step: step, indices: indices)
        }
    }
}
