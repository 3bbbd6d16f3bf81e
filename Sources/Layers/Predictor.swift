import Arrays
import Graph
import Runtime

/// A model made ready for inference, with the values that it has now: weights are packed once, what
/// follows a convolution is done while its result is stored, a batch goes through the whole network shard
/// by shard in cache, and a single image's rows are shared by the workers.
///
///     _ = try model.fold(verifying: samples)
///     let predictor = Predictor(model)
///     let logits = predictor(images)
///
/// Later changes of the model do not show. The results do not depend on the number of workers.
public final class Predictor {
    private let step: Step

    /// - Parameter input: makes the model's input of what is given: scales bytes, say.
    public init(
        _ model: Module, workers: Workers = .shared,
        input: @escaping (Tensor) -> Tensor = { $0 }
    ) {
        step = Step(workers: workers, isFrozen: true) { [model(input($0[0]))] }
    }

    /// The model's output. It is compiled once for each shape of inputs.
    public func callAsFunction(_ input: NDArray) -> NDArray { step(input).outputs[0] }

    /// The plan for inputs of a shape and type. Throws where it needs more memory than there is.
    @discardableResult
    public func plan(_ input: TensorSpec) throws(MemoryError) -> Plan? {
        try step.prepared([input]).plan
    }
}
