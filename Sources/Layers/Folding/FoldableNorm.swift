import Arrays
import Graph
import Normalization

/// A normalization that is a fixed scale and shift per channel in inference.
protocol FoldableNorm: Module {
    var axis: Int { get }
    /// What inference centres by; nil when it normalizes by the batch.
    var runningMeanVariable: Variable? { get }
    /// Whether inference normalizes by the running statistics.
    var usesRunningStatistics: Bool { get }

    /// The norm as scale and shift, or why it cannot be one.
    ///
    /// - Parameter name: of the norm, for the error.
    func affine(_ name: String) throws(FoldingError) -> ChannelAffine
}

extension BatchNorm: FoldableNorm {
    var runningMeanVariable: Variable? { statistics?.runningMean.variable }
    var usesRunningStatistics: Bool { statistics != nil && normalization != .batch }

    func affine(_ name: String) throws(FoldingError) -> ChannelAffine {
        guard let statistics, !statistics.wereNeverUpdated else {
            throw FoldingError(
                description:
                    "\(name): the running statistics were never updated; train, or recalibrate")
        }
        return try checkedAffine(
            name, mean: statistics.runningMean.value.elements(),
            variance: statistics.runningVariance.value.elements(), epsilon: epsilon,
            gamma: gamma?.value.elements(), beta: beta?.value.elements())
    }
}

extension GhostBatchNorm: FoldableNorm {
    var runningMeanVariable: Variable? { norm.runningMeanVariable }
    var usesRunningStatistics: Bool { norm.usesRunningStatistics }

    func affine(_ name: String) throws(FoldingError) -> ChannelAffine { try norm.affine(name) }
}

extension FrozenBatchNorm: FoldableNorm {
    var runningMeanVariable: Variable? { runningMean.variable }
    var usesRunningStatistics: Bool { true }

    func affine(_ name: String) throws(FoldingError) -> ChannelAffine {
        try checkedAffine(
            name, mean: runningMean.value.elements(), variance: runningVariance.value.elements(),
            epsilon: epsilon, gamma: gamma.value.elements(), beta: beta.value.elements())
    }
}

/// Throws where statistics are not finite, or a variance so small that folding would blow up rounding.
private func checkedAffine(
    _ name: String, mean: [Double], variance: [Double], epsilon: Double, gamma: [Double]?,
    beta: [Double]?
) throws(FoldingError) -> ChannelAffine {
    guard (variance + mean).allSatisfy({ $0.isFinite }) else {
        throw FoldingError(description: "\(name): the running statistics are not finite")
    }
    for (channel, value) in variance.enumerated() where value < epsilon * 1e-2 || value == 0 {
        throw FoldingError(
            description:
                "\(name): the running variance of channel \(channel) is \(value), near 0; "
                + "folding would multiply rounding errors by "
                + "\(1 / (value + epsilon).squareRoot())")
    }
    return ChannelAffine(
        mean: mean, variance: variance, epsilon: epsilon, gamma: gamma, beta: beta)
}
