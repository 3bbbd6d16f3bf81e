import Arrays
import Numerics

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

    /// Weight and bias of a layer that does what a linear layer **before** this normalization and the
    /// normalization do together. Output channels are the rows of the weight.
    ///
    /// - Parameters:
    ///   - weight: `[channels, inputs]`, row-major (for a convolution, all of a filter is one row).
    ///   - bias: `[channels]`; missing is 0.
    public func folded(after weight: [Double], bias: [Double]?) -> (
        weight: [Double], bias: [Double]
    ) {
        precondition(
            channels > 0 && weight.count % channels == 0,
            "folding: \(weight.count) weights do not make rows for \(channels) channels")
        precondition(
            (bias?.count ?? channels) == channels,
            "folding: expected \(channels) biases, found \(bias?.count ?? 0)")
        let columns = weight.count / channels
        return (
            weight.indices.map { weight[$0] * scale[$0 / max(columns, 1)] },
            shift.indices.map { (bias?[$0] ?? 0) * scale[$0] + shift[$0] }
        )
    }

    /// Weight and bias of a dense layer that does what this normalization and a dense layer **behind** it
    /// do together: `W (scale * x + shift) + b`.
    ///
    /// - Parameters:
    ///   - weight: `[outputs, channels]`, row-major.
    ///   - bias: `[outputs]`; missing is 0.
    public func folded(before weight: [Double], bias: [Double]?) -> (
        weight: [Double], bias: [Double]
    ) {
        precondition(
            channels > 0 && weight.count % channels == 0,
            "folding: \(weight.count) weights do not make columns for \(channels) channels")
        let outputs = weight.count / channels
        precondition(
            (bias?.count ?? outputs) == outputs,
            "folding: expected \(outputs) biases, found \(bias?.count ?? 0)")
        let biases = (0..<outputs).map { output in
            (0..<channels).reduce(bias?[output] ?? 0) { sum, channel in
                sum + weight[output * channels + channel] * shift[channel]
            }
        }
        return (weight.indices.map { weight[$0] * scale[$0 % channels] }, biases)
    }
}
