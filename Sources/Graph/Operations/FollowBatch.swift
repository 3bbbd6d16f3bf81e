import Arrays

/// One step of a running average: `old * (1 - weight) + found * weight` in the channels that are valid,
/// and `old`, bit for bit, in the others. What exceeds the type of `old` becomes its largest number.
///
/// Inputs: `old` (float32 or float64), `found` and validity (float64, 1 or 0) of `[channels]`, and the
/// weight of what was found, float64, `[]` or `[channels]`. Output: like `old`.
public struct FollowBatch: Operation {
    /// The type of `old`, whose largest number is the limit.
    public let type: ElementType

    public var name: String { "followBatch" }

    public init(_ type: ElementType) { self.type = type }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let vector = TensorSpec(inputs[0].shape, .float64)
        guard inputs.count == 4, inputs[0].shape.rank == 1, inputs[0].type == type,
            type == .float32 || type == .float64,
            inputs[1] == vector, inputs[2] == vector,
            inputs[3] == vector || inputs[3] == TensorSpec([], .float64)
        else {
            fail("expected a running vector, float64 vectors and a weight, found \(inputs)")
        }
        return [inputs[0]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }

    /// Statistics are remembered, not differentiated.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil, nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var result = inputs[0]
        let weights = inputs[3].elements
        for channel in result.elements.indices where inputs[2].elements[channel] != 0 {
            let weight = weights.count == 1 ? weights[0] : weights[channel]
            let next =
                result.elements[channel] * (1 - weight) + inputs[1].elements[channel] * weight
            result.elements[channel] = clampedToFinite(next)
        }
        return [result]
    }

    private func clampedToFinite<T: ReferenceScalar>(_ value: T) -> T {
        let limit =
            type == .float32 ? T(Float.greatestFiniteMagnitude) : T.greatestFiniteMagnitude
        return T.maximum(-limit, T.minimum(limit, value))
    }
}

extension Tensor {
    /// This running vector after one more batch; see ``FollowBatch``.
    public func following(_ found: Tensor, validity: Tensor, weight: Tensor) -> Tensor {
        Node(FollowBatch(elementType), [self, found, validity, weight]).tensor
    }
}
