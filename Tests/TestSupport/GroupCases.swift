import Arrays
import Graph

extension OperationCases {
    /// Shapes, channel axes and groups: rows of features, images of either layout, groups of one channel,
    /// one group, single rows.
    private static let layouts: [(shape: Shape, axis: Int, groups: Int)] = [
        ([5, 7], 1, 1), ([1, 3], 1, 1), ([4, 6], 1, 3), ([3, 4, 2, 3], 1, 2), ([3, 4, 5], 1, 4),
        ([2, 3, 2, 6], 3, 2), ([2, 5, 3], 2, 3), ([2, 3, 4, 2], 2, 2), ([3, 2, 4], 1, 1),
    ]

    static let groups: [OperationCase] = layouts.flatMap { layout in
        sums(layout.shape, layout.axis, layout.groups)
            + norms(layout.shape, layout.axis, layout.groups)
    }

    private static func statistics(
        _ shape: Shape, _ groups: Int, in range: Range<Double>, _ seed: UInt64
    )
        -> SampleInput
    {
        let numbers = Philox(key: seed).uniform([shape[0], groups], in: range)
        return SampleInput(
            NDArray(numbers, shape: [shape[0], groups]), followsPrecision: false)
    }

    private static func sums(_ shape: Shape, _ axis: Int, _ groups: Int) -> [OperationCase] {
        let name = "\(groups) groups, axis \(axis)"
        let mean = statistics(shape, groups, in: -1..<1, 2)
        let low = statistics(shape, groups, in: -1e-4..<1e-4, 3)
        let scale = statistics(shape, groups, in: 0.5..<2, 4)
        let shift = statistics(shape, groups, in: -1..<1, 5)
        let gamma = SampleInput.perChannel(shape[axis], in: 0.5..<2, seed: 6)
        let beta = SampleInput.perChannel(shape[axis], in: -1..<1, seed: 7)
        let (x, dy) = (SampleInput.normal(shape), SampleInput.normal(shape, seed: 8))
        return [
            OperationCase("groupMoments, \(name)", [x]) {
                let moments = $0[0].groupMoments(axis: axis, groups: groups)
                return [
                    moments.mean.square(), moments.variance,
                    $0[0].groupMeanSquare(axis: axis, groups: groups),
                ]
            },
            OperationCase("groupScale, \(name)", [x, mean, scale, shift, gamma, beta]) {
                [
                    $0[0].groupScale(
                        axis: axis, groups: groups, mean: $0[1], scale: $0[2], shift: $0[3],
                        gamma: $0[4], beta: $0[5])
                ]
            },
            OperationCase("groupScale by parts, \(name)", [x, mean, scale, gamma, beta]) {
                let (axis, groups) = (axis, groups)
                return [
                    $0[0].groupScale(axis: axis, groups: groups, mean: $0[1]),
                    $0[0].groupScale(axis: axis, groups: groups, scale: $0[2], gamma: $0[3]),
                    $0[0].groupScale(axis: axis, groups: groups, shift: $0[1]),
                    $0[0].groupScale(axis: axis, groups: groups, mean: $0[1], beta: $0[4]),
                ].map { $0.square() }
            },
            // The rounding rest is held constant by the gradient rules.
            OperationCase(
                "groupScale with low, \(name)", [x, mean, low, scale, gamma],
                differentiable: [0, 1, 3, 4]
            ) {
                [
                    $0[0].groupScale(
                        axis: axis, groups: groups, mean: $0[1], low: $0[2], scale: $0[3],
                        gamma: $0[4])
                ]
            },
            OperationCase("groupSums, \(name)", [dy, x, mean, gamma]) {
                let parts = GroupParts(mean: true, gamma: true)
                return Node(GroupSums(axis: axis, groups: groups, parts: parts), $0).tensors
                    .map { $0.square() }
            },
            OperationCase("groupParameterSums, \(name)", [dy, x, mean, scale, shift]) {
                let parts = GroupParts(mean: true, scale: true, shift: true)
                return Node(GroupParameterSums(axis: axis, groups: groups, parts: parts), $0)
                    .tensors.map { $0.square() }
            },
            OperationCase("groupParameterSums by parts, \(name)", [dy, x, mean, scale]) {
                let parts = GroupParts(mean: true, scale: true)
                return Node(GroupParameterSums(axis: axis, groups: groups, parts: parts), $0)
                    .tensors.map { $0.square() }
            },
            OperationCase(
                "groupInputGradient, \(name)", [dy, x, scale, mean, low, shift, shift, gamma],
                differentiable: []
            ) {
                let parts = GroupParts(mean: true, low: true, scale: true, shift: true, gamma: true)
                return Node(GroupInputGradient(axis: axis, groups: groups, parts: parts), $0)
                    .tensors
            },
            OperationCase(
                "groupInputGradient without gamma, \(name)", [dy, x, scale, shift],
                differentiable: []
            ) {
                let parts = GroupParts(scale: true)
                return Node(GroupInputGradient(axis: axis, groups: groups, parts: parts), $0)
                    .tensors
            },
        ]
    }

    private static func norms(_ shape: Shape, _ axis: Int, _ groups: Int) -> [OperationCase] {
        let name = "\(groups) groups, axis \(axis)"
        let gamma = SampleInput.uniform([shape[axis]], in: 0.5..<2, seed: 4)
        let beta = SampleInput.normal([shape[axis]], seed: 5)
        return [
            OperationCase("group norm, \(name)", [.normal(shape), gamma, beta]) {
                let moments = $0[0].groupMoments(axis: axis, groups: groups)
                return [
                    $0[0].groupScale(
                        axis: axis, groups: groups, mean: moments.mean, low: moments.low,
                        scale: (moments.variance + 0.1).rsqrt(), gamma: $0[1].cast(to: .float64),
                        beta: $0[2].cast(to: .float64))
                ]
            },
            OperationCase("group RMS norm, \(name)", [.normal(shape), gamma]) {
                let square = $0[0].groupMeanSquare(axis: axis, groups: groups)
                return [
                    $0[0].groupScale(
                        axis: axis, groups: groups, scale: (square + 0.1).rsqrt(),
                        gamma: $0[1].cast(to: .float64))
                ]
            },
            OperationCase("windowSum, axis \(axis)", [.normal(shape)]) {
                [
                    $0[0].windowSum(axis: axis, before: 2, after: 1).square(),
                    $0[0].windowSum(axis: axis, before: 0, after: 9),
                ]
            },
            OperationCase("stopGradient, \(name)", [.normal(shape)], differentiable: []) {
                [$0[0].stoppingGradient() * $0[0]]
            },
        ]
    }
}
