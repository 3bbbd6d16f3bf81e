import Arrays
import Graph

extension OperationCases {
    private static let kinds: [any OptimizerUpdate] = [
        SGDUpdate(momentum: 0, isNesterov: false, decay: 0),
        SGDUpdate(momentum: 0.9, isNesterov: false, decay: 0.01),
        SGDUpdate(momentum: 0.9, isNesterov: true, decay: 0),
        AdamUpdate(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0),
        AdamUpdate(beta1: 0.8, beta2: 0.95, epsilon: 1e-3, decay: 0.01),
        RMSPropUpdate(alpha: 0.9, epsilon: 1e-4, momentum: 0, isCentred: false, decay: 0),
        RMSPropUpdate(alpha: 0.9, epsilon: 1e-4, momentum: 0.5, isCentred: true, decay: 0.01),
    ]

    /// Updates of parameters; they have no gradient rule.
    static let optimizers: [OperationCase] = kinds.flatMap { kind in
        ([[], [7], [5, 3], [2, 3, 3, 2]] as [Shape]).map { shape in
            // Every moment above every squared gradient mean, so that the centred variance is positive.
            let moments = (0..<kind.momentCount).map { position in
                position == 0
                    ? SampleInput.uniform(shape, in: 1..<2, seed: 3)
                    : .uniform(shape, in: 0.1..<0.5, seed: 4 + UInt64(position))
            }
            let scalars = SampleInput(
                NDArray([0.01, 1.5, 0.001, 0.75]), followsPrecision: false)
            return OperationCase(
                "\(kind.name)", [.normal(shape), .normal(shape, seed: 2)] + moments + [scalars],
                differentiable: []
            ) { Node(kind, $0).tensors }
        }
    }
}
