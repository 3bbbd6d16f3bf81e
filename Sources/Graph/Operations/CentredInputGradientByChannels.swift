import Arrays

/// Batch norm's gradient of its input, channels first: row c of the output is channel c of what
/// `CentredInputGradient` gives for `x` of `[samples, channels]`. Made by fusion only.
///
/// Work on some channels needs all samples and nothing of other channels: a weight's gradient, whose rows
/// are the channels, takes it from the cache.
///
/// Inputs: those of `CentredInputGradient`. Output: `[channels, samples]`.
public struct CentredInputGradientByChannels: Operation {
    public let gradient: CentredInputGradient

    /// - Parameter gradient: of one output, over axis 1 and without residual.
    public init(_ gradient: CentredInputGradient) {
        precondition(
            gradient.axis == 1 && !gradient.givesInnerGradient && !gradient.parts.hasResidual,
            "\(gradient.name): by channels it is over axis 1, without residual and inner gradient")
        self.gradient = gradient
    }

    public var name: String { gradient.name + " by channels" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let spec = gradient.outputSpecs(inputs)[0]
        guard spec.shape.rank == 2 else { fail("expected [samples, channels], found \(spec)") }
        return [TensorSpec([spec.shape[1], spec.shape[0]], spec.type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: inputs.map { _ in false })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        fail("fused forms have no gradient rule")
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        Transpose(permutation: [1, 0]).reference(gradient.reference(inputs))
    }
}
