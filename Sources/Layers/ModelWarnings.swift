import Arrays
import Graph
import Normalization

/// What looks wrong in a model's layers and values, as sentences.
public enum ModelWarnings {
    /// Gammas below this share of the largest count as near zero.
    static let nearZero = 1e-3
    /// Weights of the new batch that running statistics usually have.
    static let sensibleWeights = 0.001...0.5
    /// So many deviations above 0 a normalized input hardly ever is.
    static let farDeviations = 5.0

    /// All of it; see ``structure(_:sample:)`` and ``values(_:sample:)``.
    public static func find(_ model: Module, sample: Shape) -> [String] {
        structure(model, sample: sample) + values(model, sample: sample)
    }

    /// What shows before anything is trained: biases that a batch norm takes away, and running statistics
    /// that follow too fast or too slowly.
    ///
    /// - Parameter sample: the shape of a sample, to see what the model computes.
    public static func structure(_ model: Module, sample: Shape) -> [String] {
        keptStatistics(model).compactMap(\.weightWarning)
            + ModelTrace(model, sample: sample).biasWarnings
    }

    /// What shows in parameters and statistics once they have been trained.
    public static func values(_ model: Module, sample: Shape) -> [String] {
        var warnings = keptStatistics(model).flatMap(\.valueWarnings)
        warnings += ModelTrace(model, sample: sample).silentChannelWarnings
        for (name, module) in model.namedModules {
            for case (_, .parameter(let gamma)) in module.members() where gamma.role == .scale {
                warnings += gammaWarning(gamma, label(name, module)).map { [$0] } ?? []
            }
        }
        for (name, parameter) in model.namedParameters
        where !parameter.value.elements(as: Double.self).allSatisfy(\.isFinite) {
            warnings.append("\(name) has values that are not finite")
        }
        return warnings
    }

    static func label(_ name: String, _ module: Module) -> String {
        name.isEmpty ? "\(type(of: module))" : "\(name) \(type(of: module))"
    }

    private static func gammaWarning(_ gamma: Parameter, _ label: String) -> String? {
        let values = gamma.value.elements(as: Double.self).map { abs($0) }
        let limit = (values.max() ?? 0) * nearZero
        let small = values.count { $0 <= limit }
        guard small > 0 else { return nil }
        return "\(label): \(small) of \(values.count) gammas are near zero; these channels are as "
            + "good as gone"
    }

    /// All running statistics, with the layers that keep them.
    private static func keptStatistics(_ model: Module) -> [KeptStatistics] {
        model.namedModules.flatMap { name, module in
            let (banks, epsilon): ([RunningStatistics], Double) =
                switch module {
                case let norm as BatchNorm: (norm.banks, norm.epsilon)
                case let norm as GhostBatchNorm: (norm.norm.banks, norm.norm.epsilon)
                case let norm as BatchRenorm: ([norm.statistics], norm.epsilon)
                case let norm as EvoNormB0: (norm.statistics.map { [$0] } ?? [], norm.epsilon)
                default: ([], 0)
                }
            return banks.map { KeptStatistics(label(name, module), $0, epsilon: epsilon) }
        }
    }
}

/// Running statistics in their place.
private struct KeptStatistics {
    let label: String
    let statistics: RunningStatistics
    let epsilon: Double

    init(_ label: String, _ statistics: RunningStatistics, epsilon: Double) {
        self.label = label
        self.statistics = statistics
        self.epsilon = epsilon
    }

    var weightWarning: String? {
        for average in [statistics.average, statistics.varianceAverage] {
            guard case .exponential(let weight) = average.kind,
                !ModelWarnings.sensibleWeights.contains(weight)
            else { continue }
            let problem =
                weight == 0
                ? "never follow a batch"
                : weight < 1e-3
                    ? "take thousands of batches to follow"
                    : "are little more than the last batch's (Keras calls the weight of the OLD "
                        + "average momentum: .keras(momentum:))"
            return "\(label): a new batch has the weight \(weight), so that running statistics "
                + problem
        }
        return nil
    }

    var valueWarnings: [String] {
        var warnings: [String] = []
        if statistics.wereNeverUpdated {
            warnings.append(
                "\(label): the running statistics were never updated; inference normalizes with mean "
                    + "0 and variance 1")
        }
        let variances: [Double] = statistics.runningVariance.value.elements()
        let dead = variances.count { $0 < epsilon }
        if dead > 0 {
            warnings.append(
                "\(label): \(dead) of \(variances.count) channels have a running variance below "
                    + "epsilon; their input hardly changes")
        }
        return warnings
    }
}
