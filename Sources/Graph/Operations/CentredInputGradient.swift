import Arrays

/// Batch norm's gradient of its input in one pass: `a * dy' + b * (x - mean - low) + c` per channel, where
/// `dy'` is `dy` behind the activation that followed. Made by fusion only.
///
/// Inputs: `dy`, `x`, `a`, `b`, `c`, then mean, low, and with an activation scale, shift and residual.
/// Outputs: the gradient of `x`, and `dy'` where something else needs it.
public struct CentredInputGradient: Operation {
    public let axis: Int
    public let parts: CentredParts
    public let activation: FusedActivation
    public let givesInnerGradient: Bool

    public init(
        axis: Int, parts: CentredParts, activation: FusedActivation, givesInnerGradient: Bool
    ) {
        self.axis = axis
        self.parts = parts
        self.activation = activation
        self.givesInnerGradient = givesInnerGradient
    }

    public var name: String {
        "centredInputGradient" + (activation == .identity ? "" : "+\(activation)")
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let channels = checkChannels(inputs[1], axis: axis)
        checkVectors(inputs[2..<5], channels: channels)
        checkVectors(parts.positions(after: 5).vectors.map { inputs[$0] }, channels: channels)
        return givesInnerGradient ? [inputs[1], inputs[1]] : [inputs[1]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        let residual = parts.positions(after: 5).residual
        return .rows(aligned: inputs.indices.map { $0 < 2 || $0 == residual })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        fail("fused forms have no gradient rule")
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let positions = parts.positions(after: 5)
        let argument = centredEvaluator(inputs, x: 1, positions: positions)
        let plain = CentredParts(mean: parts.hasMean, low: parts.hasLow, scale: false, shift: false)
        let centred = centredEvaluator(inputs, x: 1, positions: plain.positions(after: 5))
        let (a, b, c) = (inputs[2].elements, inputs[3].elements, inputs[4].elements)
        var dx = inputs[1]
        var inner = inputs[1]
        ChannelView(dx.shape, axis: axis).forEach { offset, channel, _ in
            let dy = activation.gradient(inputs[0].elements[offset], at: argument(offset, channel))
            dx.elements[offset] =
                a[channel] * dy + b[channel] * centred(offset, channel) + c[channel]
            inner.elements[offset] = dy
        }
        return givesInnerGradient ? [dx, inner] : [dx]
    }
}
