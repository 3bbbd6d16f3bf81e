import Arrays

/// What looks wrong in a model's layers and values, as sentences.
public enum ModelWarnings {
    /// Gammas below this share of the largest count as near zero.
    static let nearZero = 1e-3

    public static func find(_ model: Module) -> [String] {
        var warnings: [String] = []
        for (name, module) in model.namedModules {
            let label = "\(name) \(type(of: module))"
            if let norm = module as? BatchNorm { warnings += normWarnings(norm, label) }
            if let stack = module as? Sequential { warnings += biasWarnings(stack, name) }
        }
        for (name, parameter) in model.namedParameters
        where !parameter.value.elements(as: Double.self).allSatisfy(\.isFinite) {
            warnings.append("\(name) has values that are not finite")
        }
        return warnings
    }

    private static func normWarnings(_ norm: BatchNorm, _ label: String) -> [String] {
        var warnings: [String] = []
        if let statistics = norm.statistics {
            if statistics.batchCount.value.item(as: Int64.self) == 0 {
                warnings.append(
                    "\(label): the running statistics were never updated; inference normalizes with "
                        + "mean 0 and variance 1")
            }
            let variances: [Double] = statistics.runningVariance.value.elements()
            let dead = variances.count { $0 < norm.epsilon }
            if dead > 0 {
                warnings.append(
                    "\(label): \(dead) of \(norm.channels) channels have a running variance below "
                        + "epsilon; their input hardly changes")
            }
        }
        if let gamma = norm.gamma {
            let values = gamma.value.elements(as: Double.self).map { abs($0) }
            let limit = (values.max() ?? 0) * nearZero
            let small = values.count { $0 <= limit }
            if small > 0 {
                warnings.append(
                    "\(label): \(small) of \(norm.channels) gammas are near zero; these channels "
                        + "are as good as gone")
            }
        }
        return warnings
    }

    /// A bias in front of a batch norm is taken away again with the mean.
    private static func biasWarnings(_ stack: Sequential, _ path: String) -> [String] {
        zip(stack.layers, stack.layers.dropFirst()).enumerated().compactMap { index, pair in
            guard let dense = pair.0 as? Dense, dense.bias != nil, pair.1 is BatchNorm else {
                return nil
            }
            let name = path.isEmpty ? "\(index)" : "\(path).\(index)"
            return
                "\(name) Dense: its bias has no effect in front of a batch norm, which takes the "
                + "mean away; leave it out"
        }
    }
}
