import Arrays
import RealModule

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
