import Arrays
import RealModule

/// The batch moments of each channel: the one place in a forward pass where samples meet.
///
/// Input: `x`, and optionally weights, one per position (the shape of `x` without the channel axis; what
/// has weight 0 may be NaN). Outputs, all float64: the count `[]`, the mean `[channels]`, what the rounding
/// of the mean left over `[channels]`, and the biased variance `[channels]`.
///
/// Partial results merge by the formula of Chan, Golub and LeVeque (1983).
public struct Moments: Operation {
    /// The channel axis.
    public let axis: Int
    public let isWeighted: Bool

    public init(axis: Int, isWeighted: Bool = false) {
        self.axis = axis
        self.isWeighted = isWeighted
    }

    public var name: String { "moments" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let channels = checkChannels(inputs[0], axis: axis)
        if isWeighted {
            let expected = inputs[0].shape.reduced(over: [axis], keepingDimensions: false)
            guard inputs[1].shape == expected, inputs[1].type == inputs[0].type else {
                fail("expected weights of \(inputs[0].type)\(expected), found \(inputs[1])")
            }
        }
        let vector = TensorSpec([channels], .float64)
        return [TensorSpec([], .float64), vector, vector, vector]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .reduction(aligned: inputs.map { _ in true })
    }

    /// d mean / dx = w / count and d variance / dx = 2 w (x - mean) / count.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let x = call.inputs[0]
        let (count, mean, low) = (call.outputs[0], call.outputs[1], call.outputs[2])
        let (meanGradient, varianceGradient) = (call.upstream[1], call.upstream[3])
        guard meanGradient != nil || varianceGradient != nil else { return inputsWithoutGradient }
        let scale = varianceGradient.map { $0 * 2 / count } ?? Tensor.zeros(mean.shape, .float64)
        let shift = meanGradient.map { $0 / count } ?? Tensor.zeros(mean.shape, .float64)
        var dx = x.centredScale(axis: axis, mean: mean, low: low, scale: scale, shift: shift)
        if isWeighted {
            let weights = call.inputs[1].expanded(axis: axis)
            dx = Tensor.select(weights .!= 0, dx * weights, Tensor.zeros([], x.elementType))
        }
        return isWeighted ? [dx, nil] : [dx]
    }

    private var inputsWithoutGradient: [Tensor?] { isWeighted ? [nil, nil] : [nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0].elements
        let view = ChannelView(inputs[0].shape, axis: axis)
        func weight(_ position: Int) -> T { isWeighted ? inputs[1].elements[position] : 1 }
        var count: T = 0
        for position in 0..<(view.outer * view.inner) { count += weight(position) }
        func average(_ value: (Int, Int) -> T) -> [T] {
            var sums = [T](repeating: 0, count: view.channels)
            view.forEach { offset, channel, position in
                let w = weight(position)
                if w != 0 { sums[channel] += w * value(offset, channel) }
            }
            return sums.map { count == 0 ? 0 : $0 / count }
        }
        let mean = average { offset, _ in x[offset] }
        let low = average { offset, channel in x[offset] - mean[channel] }
        let variance = average { offset, channel in
            let centred = (x[offset] - mean[channel]) - low[channel]
            return centred * centred
        }
        let shape: Shape = [view.channels]
        return [
            Values(shape: [], [count]), Values(shape: shape, mean), Values(shape: shape, low),
            Values(shape: shape, variance),
        ]
    }

    public func merge<T: ReferenceScalar>(_ first: [Values<T>], _ second: [Values<T>]) -> [Values<
        T
    >] {
        let (countA, countB) = (first[0].elements[0], second[0].elements[0])
        let count = countA + countB
        if countB == 0 { return first }
        if countA == 0 { return second }
        var result = first
        result[0].elements[0] = count
        for channel in first[1].elements.indices {
            let delta =
                (second[1].elements[channel] - first[1].elements[channel])
                + (second[2].elements[channel] - first[2].elements[channel])
            let shift = first[2].elements[channel] + delta * (countB / count)
            let mean = first[1].elements[channel] + shift
            result[1].elements[channel] = mean
            result[2].elements[channel] = shift - (mean - first[1].elements[channel])
            result[3].elements[channel] =
                (first[3].elements[channel] * countA + second[3].elements[channel] * countB
                    + delta * delta * (countA * countB / count)) / count
        }
        return result
    }
}

/// Batch moments as tensors, all float64.
public struct MomentTensors: Sendable {
    /// The number of values per channel, `[]`.
    public let count: Tensor
    /// `[channels]`
    public let mean: Tensor
    /// What the rounding of the mean left over; differentiating ignores it. `[channels]`
    public let low: Tensor
    /// The biased variance, `[channels]`.
    public let variance: Tensor

    public init(count: Tensor, mean: Tensor, low: Tensor, variance: Tensor) {
        (self.count, self.mean, self.low, self.variance) = (count, mean, low, variance)
    }
}

extension Tensor {
    /// The moments of each channel over all other axes, optionally weighted per position.
    public func moments(axis: Int = -1, weights: Tensor? = nil) -> MomentTensors {
        let operation = Moments(axis: shape.normalized(axis: axis), isWeighted: weights != nil)
        let node = Node(operation, weights.map { [self, $0] } ?? [self])
        return MomentTensors(
            count: node.tensors[0], mean: node.tensors[1], low: node.tensors[2],
            variance: node.tensors[3])
    }
}
