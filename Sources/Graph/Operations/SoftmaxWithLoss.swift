import Arrays

/// Softmax cross-entropy and what its gradient needs in one pass over the logits. Made by fusion.
///
/// Inputs: logits `[..., classes]` and int32 labels `[...]`. Outputs: the losses `[...]`, and
/// `softmax(logits) - oneHot(labels)`.
public struct SoftmaxWithLoss: Operation {
    public init() {}

    public var name: String { "softmaxCrossEntropy + gradient" }

    private var loss: SoftmaxCrossEntropy { SoftmaxCrossEntropy(smoothing: 0) }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        loss.outputSpecs(inputs) + [inputs[0]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        loss.sharding(inputs, outputs)
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        fail("fused forms have no gradient rule")
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let logits = inputs[0]
        let classes = logits.shape[logits.shape.rank - 1]
        let probabilities = RowSoftmax(isLogarithmic: false).reference([logits])[0]
        let hot = OneHot(classes: classes, type: .float64).reference([inputs[1]])[0]
        let difference = zip(probabilities.elements, hot.elements).map { $0 - $1 }
        return loss.reference(inputs) + [Values(shape: logits.shape, difference)]
    }
}
