import Arrays
import Graph

extension OperationCases {
    static let lookups: [OperationCase] = [
        ([5], [7]), ([5, 3], [4]), ([5, 3], []), ([4, 2, 3], [2, 3]), ([1, 2], [3]),
    ].flatMap { (table: Shape, indices: Shape) in
        let index = SampleInput.indices(indices, below: table[0])
        let values = Shape(indices.dimensions + table.dropFirst())
        return [
            OperationCase("gather", [.normal(table), index]) { [$0[0].gather($0[1]).square()] },
            OperationCase("scatterAdd", [.normal(values), index]) {
                [$0[0].scatterAdded(at: $0[1], rows: table[0]).square()]
            },
            OperationCase("oneHot", [index]) { [$0[0].oneHot(classes: table[0])] },
            // Powers of two, so that float32 and float64 agree to the bit.
            OperationCase("scaledGather", [.bytes(table), index]) {
                [Tensor(ScaledGather(scale: 1 / 256, shift: -0.5), $0[0], $0[1])]
            },
        ]
    }

    private static let rows: [Shape] = [[1], [6], [3, 5], [4, 1], [2, 3, 4]]

    static let losses: [OperationCase] =
        softmaxes + crossEntropies + fusedCrossEntropies + regressions

    /// Both outputs of the fused form; it has no gradient rule.
    private static let fusedCrossEntropies: [OperationCase] = rows.map { shape in
        let labels = SampleInput.indices(
            Shape(Array(shape.dropLast())), below: shape[shape.rank - 1])
        return OperationCase(
            "softmaxWithLoss", [.normal(shape), labels], differentiable: []
        ) { Node(SoftmaxWithLoss(), $0).tensors }
    }

    private static let softmaxes: [OperationCase] = rows.flatMap { shape in
        (0..<shape.rank).flatMap { axis in
            [
                OperationCase("softmax along \(axis)", [.normal(shape)]) {
                    [$0[0].softmax(axis: axis)]
                },
                OperationCase("logSoftmax along \(axis)", [.normal(shape)]) {
                    [$0[0].logSoftmax(axis: axis)]
                },
            ]
        }
    }

    private static let crossEntropies: [OperationCase] = rows.flatMap { shape in
        [0, 0.1].map { smoothing in
            let labels = SampleInput.indices(
                Shape(Array(shape.dropLast())), below: shape[shape.rank - 1])
            return OperationCase(
                "crossEntropy, smoothing \(smoothing)", [.normal(shape), labels]
            ) { [$0[0].crossEntropy($0[1], labelSmoothing: smoothing)] }
        }
    }

    private static let regressions: [OperationCase] = ([[], [5], [4, 3], [2, 3, 2]] as [Shape])
        .flatMap { shape in
            let targets = SampleInput.uniform(shape, in: 0..<1, seed: 2)
            let far = SampleInput.spaced(shape, seed: 3, offset: 0.37)
            return [
                OperationCase("meanSquaredError", [.normal(shape), targets]) {
                    [$0[0].meanSquaredError($0[1])]
                },
                OperationCase("meanAbsoluteError", [.spaced(shape), far]) {
                    [$0[0].meanAbsoluteError($0[1])]
                },
                OperationCase("huber", [.spaced(shape), far]) {
                    [$0[0].huber($0[1], delta: 0.5)]
                },
                OperationCase("binaryCrossEntropy of logits", [.normal(shape), targets]) {
                    [$0[0].binaryCrossEntropy(logits: $0[1])]
                },
                OperationCase(
                    "binaryCrossEntropy of probabilities",
                    [.uniform(shape, in: 0.1..<0.9), targets]
                ) { [$0[0].binaryCrossEntropy(probabilities: $0[1])] },
            ]
        }

    static let random: [OperationCase] = ([[5], [4, 3], [3, 2, 5]] as [Shape]).flatMap { shape in
        let step = SampleInput.integers([7], shape: [])
        let indices = SampleInput.indices([shape[0]], below: 1000, stride: 137)
        let sample = Shape(Array(shape.dropFirst()))
        return [
            OperationCase("randomUniform", [step, indices]) {
                [Tensor.randomUniform(sample, seed: 11, step: $0[0], indices: $0[1])]
            },
            OperationCase("dropout", [.normal(shape), step, indices]) {
                [$0[0].dropout(rate: 0.4, seed: 12, step: $0[1], indices: $0[2])]
            },
        ]
    }

    /// Scales are powers of two, so that float32 and float64 agree to the bit.
    static let augmentations: [OperationCase] =
        ([[6, 5, 4, 3], [5, 7, 7, 1], [3, 2, 9, 2]] as [Shape])
        .flatMap { table in
            let indices = SampleInput.indices([5], below: table[0] + 1)
            let epoch = SampleInput(NDArray(scalar: Int64(3)), followsPrecision: false)
            let gathers = [
                (0, false, 0), (2, true, 0), (0, true, 3), (4, false, 2), (12, true, 40),
            ]
            .map { padding, flips, cutout in
                OperationCase("augmentedGather", [.bytes(table), indices, epoch]) {
                    let operation = AugmentedGather(
                        seed: 5, padding: padding, flips: flips, cutout: cutout,
                        scale: (0..<table[3]).map { 1 / Double(64 << $0) },
                        shift: (0..<table[3]).map { -0.5 * Double($0) })
                    return Node(operation, $0).tensors
                }
            }
            return gathers + [
                OperationCase("mixupPartners", [indices, epoch]) {
                    Node(MixupPartners(seed: 5, alpha: 0.4, count: 50), $0).tensors
                }
            ]
        }
}
