import Arrays
import Graph

extension OperationCases {
    /// Shapes and channel axes: rows of features, images of either layout, single channels and samples.
    private static let channels: [(Shape, Int)] = [
        ([6, 4], 1), ([5, 1], 1), ([1, 3], 1), ([2, 3, 2, 3], 3), ([3, 2, 4], 1),
        ([2, 3, 2, 2], 1),
    ]

    static let normalization: [OperationCase] =
        channels.flatMap { shape, axis in
            plain(shape, axis) + weighted(shape, axis) + fused(shape, axis)
        } + [1, 5, 19].flatMap(running)

    /// How running statistics follow a batch. The second channel's moments are infinite.
    private static func running(_ channels: Int) -> [OperationCase] {
        let vectors = (0..<3).map { SampleInput.perChannel(channels, in: 0.5..<2, seed: 40 + $0) }
        let spoilt = Tensor(NDArray((0..<channels).map { $0 == 1 ? Double.infinity : 0 }))
        let weights = SampleInput.perChannel(channels, in: 0..<1, seed: 44)
        return [false, true].flatMap { isUnbiased in
            [0.0, 1, 7].map { count in
                OperationCase(
                    "followBatch of \(count) values, \(isUnbiased ? "unbiased" : "biased")",
                    [.uniform([channels], in: -1..<1, seed: 43)] + vectors + [weights],
                    differentiable: []
                ) {
                    let number = Tensor(repeating: count, .float64)
                    let moments = MomentTensors(
                        count: number, mean: $0[1] + spoilt, low: $0[2], variance: $0[3])
                    let valid = moments.valid(unbiased: isUnbiased)
                    let half = Tensor(repeating: 0.5, .float64)
                    return [
                        valid.mean, valid.variance, valid.validity, valid.counts,
                        $0[0].following(valid.mean, validity: valid.validity, weight: half),
                        $0[0].following(valid.variance, validity: valid.validity, weight: $0[4]),
                    ]
                }
            }
        }
    }

    private static func plain(_ shape: Shape, _ axis: Int) -> [OperationCase] {
        let count = shape[axis]
        let mean = SampleInput.perChannel(count, in: -1..<1, seed: 2)
        let low = SampleInput.perChannel(count, in: -1e-4..<1e-4, seed: 3)
        let scale = SampleInput.perChannel(count, in: 0.5..<2, seed: 4)
        let shift = SampleInput.perChannel(count, in: -1..<1, seed: 5)
        return [
            OperationCase("moments, axis \(axis)", [.normal(shape)]) {
                let moments = $0[0].moments(axis: axis)
                return [moments.count, moments.mean, moments.variance]
            },
            OperationCase("centredScale, axis \(axis)", [.normal(shape), mean, scale, shift]) {
                [$0[0].centredScale(axis: axis, mean: $0[1], scale: $0[2], shift: $0[3])]
            },
            OperationCase("centredScale by parts, axis \(axis)", [.normal(shape), mean, scale]) {
                let parts = [
                    $0[0].centredScale(axis: axis, mean: $0[1]),
                    $0[0].centredScale(axis: axis, scale: $0[2]),
                    $0[0].centredScale(axis: axis, shift: $0[1]),
                ]
                return parts.map { $0.square() }
            },
            // The rounding rest is held constant by the gradient rules.
            OperationCase(
                "centredScale with low, axis \(axis)", [.normal(shape), mean, low, scale, shift],
                differentiable: [0, 1, 3, 4]
            ) {
                [
                    $0[0].centredScale(
                        axis: axis, mean: $0[1], low: $0[2], scale: $0[3], shift: $0[4])
                ]
            },
            OperationCase(
                "centredSums, axis \(axis)", [.normal(shape), .normal(shape, seed: 6), mean]
            ) {
                let parts = CentredParts(mean: true, low: false, scale: false, shift: false)
                let sums = Node(CentredSums(axis: axis, parts: parts), $0).tensors
                return [sums[0].square(), sums[1].square()]
            },
            OperationCase(
                "batch norm, axis \(axis)",
                [
                    .normal(shape), .uniform([count], in: 0.5..<2, seed: 4),
                    .normal([count], seed: 5),
                ]
            ) { [batchNorm($0[0], axis: axis, gamma: $0[1], beta: $0[2])] },
        ]
    }

    private static func weighted(_ shape: Shape, _ axis: Int) -> [OperationCase] {
        let positions = shape.reduced(over: [axis], keepingDimensions: false)
        let mask = SampleInput.indices(positions, below: 3).array.converted(to: .float64)
        return [
            ("mask", SampleInput(mask, followsPrecision: true)),
            ("weights", .uniform(positions, in: 0.5..<2, seed: 7)),
        ].flatMap { name, weights in
            [
                OperationCase(
                    "moments with \(name), axis \(axis)", [.normal(shape), weights],
                    differentiable: [0]
                ) {
                    let moments = $0[0].moments(axis: axis, weights: $0[1])
                    return [moments.count, moments.mean, moments.variance]
                },
                OperationCase(
                    "batch norm with \(name), axis \(axis)",
                    [
                        .normal(shape), .uniform([shape[axis]], in: 0.5..<2, seed: 4),
                        .normal([shape[axis]], seed: 5), weights,
                    ], differentiable: [0, 1, 2]
                ) {
                    [batchNorm($0[0], axis: axis, gamma: $0[1], beta: $0[2], weights: $0[3])]
                },
            ]
        }
    }

    /// The forms that only fusion makes; they have no gradient rule.
    private static func fused(_ shape: Shape, _ axis: Int) -> [OperationCase] {
        let vectors = (0..<7).map { SampleInput.perChannel(shape[axis], in: -1..<1, seed: 20 + $0) }
        let (x, dy) = (SampleInput.normal(shape), SampleInput.normal(shape, seed: 8))
        let residual = SampleInput.normal(shape, seed: 9)
        let centring = Array(vectors[0..<2])
        let activations: [FusedActivation] = [
            .leakyReLU(slope: 0), .leakyReLU(slope: 0.1), .relu6,
        ]
        return activations.flatMap { activation in
            [false, true].flatMap { hasResidual in
                let parts = CentredParts(
                    mean: true, low: true, scale: true, shift: true, residual: hasResidual)
                let rest = Array(vectors[2..<4]) + (hasResidual ? [residual] : [])
                let name = "\(activation)\(hasResidual ? " and residual" : ""), axis \(axis)"
                let gradientInputs = [dy, x] + Array(vectors[4..<7]) + centring + rest
                let byChannels =
                    shape.rank != 2 || axis != 1 || hasResidual
                    ? []
                    : [
                        OperationCase(
                            "centredInputGradient by channels with \(name)", gradientInputs,
                            differentiable: []
                        ) {
                            let gradient = CentredInputGradient(
                                axis: 1, parts: parts, activation: activation,
                                givesInnerGradient: false)
                            return [Node(CentredInputGradientByChannels(gradient), $0).tensor]
                        }
                    ]
                return [
                    OperationCase(
                        "centredScale with \(name)", [x] + centring + rest, differentiable: []
                    ) {
                        [
                            Node(
                                CentredScale(axis: axis, parts: parts, activation: activation), $0
                            ).tensor
                        ]
                    },
                    OperationCase(
                        "centredSums with \(name)", [dy, x] + centring + rest, differentiable: []
                    ) {
                        Node(CentredSums(axis: axis, parts: parts, activation: activation), $0)
                            .tensors
                    },
                    OperationCase(
                        "centredInputGradient with \(name)",
                        gradientInputs, differentiable: []
                    ) {
                        Node(
                            CentredInputGradient(
                                axis: axis, parts: parts, activation: activation,
                                givesInnerGradient: hasResidual), $0
                        ).tensors
                    },
                ] + byChannels
            }
        }
    }

    /// Batch norm as the layer builds it, from the operations above.
    public static func batchNorm(
        _ x: Tensor, axis: Int, gamma: Tensor, beta: Tensor, epsilon: Double = 0.1,
        weights: Tensor? = nil
    ) -> Tensor {
        let moments = x.moments(axis: axis, weights: weights)
        let scale = (moments.variance + epsilon).rsqrt() * gamma.cast(to: .float64)
        return x.centredScale(
            axis: axis, mean: moments.mean, low: moments.low, scale: scale,
            shift: beta.cast(to: .float64))
    }
}
