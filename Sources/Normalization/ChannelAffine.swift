import Arrays
import RealModule

/// Batch norm with known statistics as what it is then: `scale * x + shift` per channel.
///
/// Meant for folding into a neighbouring layer for inference. It is not how training normalizes: the
/// difference of two large numbers in `scale * x + shift` costs digits when the mean is large.
public struct ChannelAffine: Hashable, Sendable {
    /// gamma / sqrt(variance + epsilon), `[channels]`
    public let scale: [Double]
    /// beta - mean * scale, `[channels]`
    public let shift: [Double]

    /// Traps unless all vectors have the same length. Missing gamma is 1 and missing beta 0.
    public init(
        mean: [Double], variance: [Double], epsilon: Double, gamma: [Double]? = nil,
        beta: [Double]? = nil
    ) {
        let channels = mean.count
        precondition(
            variance.count == channels && (gamma?.count ?? channels) == channels
                && (beta?.count ?? channels) == channels,
            "folding: expected \(channels) variances, gammas and betas, found \(variance.count), "
                + "\(gamma?.count ?? channels) and \(beta?.count ?? channels)")
        let scale = variance.indices.map { (gamma?[$0] ?? 1) / .sqrt(variance[$0] + epsilon) }
        self.scale = scale
        shift = mean.indices.map { (beta?[$0] ?? 0) - mean[$0] * scale[$0] }
    }

    public var channels: Int { scale.count }

    /// The same for a flattened image, whose channels come again at each of so many positions.
    public func repeated(_ positions: Int) -> ChannelAffine {
        func repeated(_ values: [Double]) -> [Double] {
            [Double](repeatElement(values, count: positions).joined())
        }
        return ChannelAffine(scale: repeated(scale), shift: repeated(shift))
    }

    private init(scale: [Double], shift: [Double]) { (self.scale, self.shift) = (scale, shift) }

    /// Weight and bias of a layer that does what a linear layer **before** this normalization and the
    /// normalization do together.
    ///
    /// - Parameter bias: `[channels]`; missing is 0.
    public func folded(after weight: LinearWeight, bias: [Double]?) -> (
        weight: LinearWeight, bias: [Double]
    ) {
        precondition(
            weight.outputs == channels && (bias?.count ?? channels) == channels,
            "folding: expected \(channels) output channels and biases, found \(weight.outputs) and "
                + "\(bias?.count ?? channels)")
        return (
            weight.scaled { output, _ in scale[output] },
            shift.indices.map { (bias?[$0] ?? 0) * scale[$0] + shift[$0] }
        )
    }

    /// Weight and bias of a layer that does what this normalization and a linear layer **behind** it do
    /// together: `W (scale * x + shift) + b`. Right only where every output sums over all taps: in a
    /// dense layer, or a convolution without padding.
    ///
    /// - Parameter bias: `[outputs]`; missing is 0.
    public func folded(before weight: LinearWeight, bias: [Double]?) -> (
        weight: LinearWeight, bias: [Double]
    ) {
        precondition(
            weight.inputs == channels && (bias?.count ?? weight.outputs) == weight.outputs,
            "folding: expected \(channels) input channels and \(weight.outputs) biases, found "
                + "\(weight.inputs) and \(bias?.count ?? weight.outputs)")
        var biases = bias ?? [Double](repeating: 0, count: weight.outputs)
        weight.forEachPair { output, input, range in
            let sum: Double = weight.numbers[range].reduce(0, +)
            biases[output] += sum * shift[input]
        }
        return (weight.scaled { _, input in scale[input] }, biases)
    }
}
