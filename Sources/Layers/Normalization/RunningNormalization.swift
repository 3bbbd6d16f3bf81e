import Normalization

/// A layer that normalizes by running statistics in inference, as those who look into a model see it.
package protocol RunningNormalization: Module {
    /// The axis of the channels.
    var axis: Int { get }
    var epsilon: Double { get }
    /// What stands for the batch's statistics; nil when none are kept.
    var running: RunningMoments? { get }
}

/// Running statistics of channels.
package struct RunningMoments {
    /// Nil where the layer divides but does not centre.
    package let mean: State?
    package let variance: State
    /// What the variance is compared with.
    package let kind: VarianceKind
}

extension RunningStatistics {
    fileprivate var moments: RunningMoments {
        RunningMoments(
            mean: keepsMean ? runningMean : nil, variance: runningVariance, kind: variance)
    }
}

extension BatchNorm: RunningNormalization {
    package var running: RunningMoments? { statistics?.moments }
}

extension BatchRenorm: RunningNormalization {
    package var running: RunningMoments? { statistics.moments }
}

extension GhostBatchNorm: RunningNormalization {
    package var axis: Int { norm.axis }
    package var epsilon: Double { norm.epsilon }
    package var running: RunningMoments? { norm.running }
}

extension EvoNormB0: RunningNormalization {
    package var running: RunningMoments? { statistics?.moments }
}

extension FrozenBatchNorm: RunningNormalization {
    package var running: RunningMoments? {
        RunningMoments(mean: runningMean, variance: runningVariance, kind: .unbiased)
    }
}
