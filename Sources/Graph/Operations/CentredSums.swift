import Arrays
import RealModule

/// The two sums of batch norm's backward pass, per channel over the batch: of `dy`, and of
/// `dy * (x - mean)` (Ioffe and Szegedy 2015, section 3). Both are float64 `[channels]`.
///
/// Inputs: `dy`, `x`, then mean and low. With an activation, also scale, shift and residual: `dy` is then
/// the gradient behind the activation, whose argument is computed again from `x`.
public struct CentredSums: Operation {
    public let axis: Int
    public let parts: CentredParts
    public let activation: FusedActivation

    public init(axis: Int, parts: CentredParts, activation: FusedActivation = .identity) {
        self.axis = axis
        self.parts = parts
        self.activation = activation
    }

    public var name: String { "centredSums" + (activation == .identity ? "" : "+\(activation)") }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let channels = checkChannels(inputs[1], axis: axis)
        guard inputs[0] == inputs[1] else {
            fail("expected dy of \(inputs[1]), found \(inputs[0])")
        }
        checkVectors(parts.positions(after: 2).vectors.map { inputs[$0] }, channels: channels)
        return [TensorSpec([channels], .float64), TensorSpec([channels], .float64)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        let residual = parts.positions(after: 2).residual
        return .reduction(aligned: inputs.indices.map { $0 < 2 || $0 == residual })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        precondition(activation == .identity, "\(name): fused forms have no gradient rule")
        let positions = parts.positions(after: 2)
        let (dy, x) = (call.inputs[0], call.inputs[1])
        let mean = positions.mean.map { call.inputs[$0] }
        let low = positions.low.map { call.inputs[$0] }
        let (first, second) = (call.upstream[0], call.upstream[1])
        var result = [Tensor?](repeating: nil, count: call.inputs.count)
        if let second {
            result[0] = x.centredScale(
                axis: axis, mean: mean, low: low, scale: second, shift: first)
            result[1] = dy.centredScale(axis: axis, scale: second)
            if let position = positions.mean { result[position] = -(second * call.outputs[0]) }
        } else if let first {
            let zeros = Tensor.zeros(first.shape, .float64)
            result[0] = x.centredScale(axis: axis, mean: mean, low: low, scale: zeros, shift: first)
        }
        return result
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let positions = parts.positions(after: 2)
        let view = ChannelView(inputs[1].shape, axis: axis)
        let argument = centredEvaluator(inputs, x: 1, positions: positions)
        let plain = CentredParts(mean: parts.hasMean, low: parts.hasLow, scale: false, shift: false)
        let centred = centredEvaluator(inputs, x: 1, positions: plain.positions(after: 2))
        var sum = [T](repeating: 0, count: view.channels)
        var centredSum = sum
        view.forEach { offset, channel, _ in
            let dy = activation.gradient(inputs[0].elements[offset], at: argument(offset, channel))
            sum[channel] += dy
            centredSum[channel] += dy * centred(offset, channel)
        }
        return [Values(shape: [view.channels], sum), Values(shape: [view.channels], centredSum)]
    }
}

extension Tensor {
    /// Per channel, the sum of this tensor and the sum of its products with `x - mean - low`.
    func centredSums(
        with x: Tensor, axis: Int, mean: Tensor?, low: Tensor?
    ) -> (sum: Tensor, centredSum: Tensor) {
        let parts = CentredParts(mean: mean != nil, low: low != nil, scale: false, shift: false)
        let node = Node(
            CentredSums(axis: axis, parts: parts), [self, x] + [mean, low].compactMap { $0 })
        return (node.tensors[0], node.tensors[1])
    }
}
