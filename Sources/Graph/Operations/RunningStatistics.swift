import Arrays
import Numerics

/// What a batch has to say to running statistics: its mean, its variance as it is to be stored, and which
/// channels may be believed.
///
/// Inputs, as ``Moments`` gives them: count `[]`, mean, low and biased variance `[channels]`, all float64.
/// Outputs, float64: the mean and the variance, 0 in channels whose moments are missing or not finite;
/// 1 in the other channels and 0 in those, `[channels]`; and 1 if any channel counts, else 0, `[]`.
public struct ValidMoments: Operation {
    /// Whether the variance is the unbiased one. Of a single value there is none; its biased one, 0, stands
    /// in.
    public let isUnbiased: Bool

    public var name: String { "validMoments" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let channels = inputs[1]
        guard inputs.count == 4, inputs[0] == TensorSpec([], .float64), channels.shape.rank == 1,
            channels.type == .float64, inputs[2] == channels, inputs[3] == channels
        else { fail("expected a float64 count and three float64 vectors, found \(inputs)") }
        return [channels, channels, channels, inputs[0]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }

    /// Statistics are remembered, not differentiated.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil, nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let count = inputs[0].elements[0]
        let factor = isUnbiased ? count / T.maximum(count - 1, 1) : 1
        var (mean, variance, validity) = (inputs[1], inputs[3], inputs[1])
        for channel in mean.elements.indices {
            mean.elements[channel] += inputs[2].elements[channel]
            variance.elements[channel] *= factor
            let isValid =
                count > 0 && mean.elements[channel].isFinite && inputs[3].elements[channel].isFinite
            validity.elements[channel] = isValid ? 1 : 0
            if !isValid { (mean.elements[channel], variance.elements[channel]) = (0, 0) }
        }
        let counts = validity.elements.contains(1)
        return [mean, variance, validity, Values(shape: [], [counts ? 1 : 0])]
    }
}

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

extension MomentTensors {
    /// What these moments have to say to running statistics; see ``ValidMoments``.
    public func valid(unbiased: Bool) -> ValidMomentTensors {
        let node = Node(ValidMoments(isUnbiased: unbiased), [count, mean, low, variance])
        return ValidMomentTensors(
            count: count, mean: node.tensors[0], variance: node.tensors[1],
            validity: node.tensors[2], counts: node.tensors[3])
    }
}

/// A batch's moments as running statistics take them, all float64.
public struct ValidMomentTensors: Sendable {
    /// The number of values per channel, `[]`.
    public let count: Tensor
    /// `[channels]`
    public let mean: Tensor
    /// Biased or unbiased, `[channels]`.
    public let variance: Tensor
    /// 1 where the moments exist and are finite, `[channels]`.
    public let validity: Tensor
    /// 1 if any channel's do, `[]`.
    public let counts: Tensor
}

extension Tensor {
    /// This running vector after one more batch; see ``FollowBatch``.
    public func following(_ found: Tensor, validity: Tensor, weight: Tensor) -> Tensor {
        Node(FollowBatch(elementType), [self, found, validity, weight]).tensor
    }
}
