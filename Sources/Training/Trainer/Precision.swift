import Arrays
import Graph
import Runtime

/// What a training computes with. Parameters, statistics, gamma and beta, sums over the batch and the
/// optimizer are float32 (or better) in any case.
public enum Precision: String, Hashable, Sendable, CaseIterable {
    case float32
    /// Activations, their gradients, and the copies of weights that convolutions compute with, in bfloat16.
    /// There is no loss scaling: bfloat16 has float32's range.
    case bfloat16

    /// This precision where the processor has instructions for it; float32 otherwise, since emulation would
    /// be slower.
    public var supported: Precision {
        self == .bfloat16 && !Processor.hasBFloat16 ? .float32 : self
    }

    /// A model's output for an input that comes in its parameters' type, and goes out in it.
    func apply(_ input: Tensor, _ model: (Tensor) -> Tensor) -> Tensor {
        switch self {
        case .float32: model(input)
        case .bfloat16: model(input.cast(to: .bfloat16)).cast(to: input.elementType)
        }
    }
}
