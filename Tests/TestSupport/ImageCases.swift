import Arrays
import Graph

extension OperationCases {
    /// Convolutions, poolings and what resizes images: channels last, one to three spatial axes.
    static let images: [OperationCase] =
        convolutions + transposedConvolutions + poolings + resizings

    private static func convolution(
        _ name: String, _ image: Shape, _ weight: Shape, strides: [Int] = [1],
        padding: Padding = .valid, dilations: [Int] = [1], groups: Int = 1
    ) -> OperationCase {
        OperationCase("convolution, \(name)", [.normal(image), .normal(weight, seed: 2)]) {
            [
                $0[0].convolution(
                    $0[1], strides: strides, padding: padding, dilations: dilations,
                    groups: groups)
            ]
        }
    }

    private static let convolutions = [
        OperationCase(
            "convolution, bias",
            [.normal([3, 4, 5, 2]), .normal([5, 2, 3, 3], seed: 2), .normal([5], seed: 3)]
        ) { [$0[0].convolution($0[1], padding: 1) + $0[2]] },
        convolution("1-D", [3, 7, 2], [4, 2, 3], padding: 1),
        convolution("1-D same", [2, 6, 3], [2, 3, 4], strides: [2], padding: .same),
        convolution("pointwise", [2, 3, 2, 5], [3, 5, 1, 1]),
        convolution("3x3", [3, 4, 5, 2], [3, 2, 3, 3], padding: 1),
        convolution("one channel", [5, 5, 4, 1], [3, 1, 3, 3], padding: 1),
        convolution("whole image", [2, 3, 3, 2], [4, 2, 3, 3]),
        convolution("strides", [2, 6, 5, 3], [2, 3, 3, 3], strides: [2], padding: 1),
        convolution("pointwise strides", [2, 5, 4, 3], [2, 3, 1, 1], strides: [2]),
        convolution(
            "unequal", [2, 6, 5, 2], [2, 2, 3, 2], strides: [3, 1],
            padding: .sides(before: [2, 0], after: [1, 3]), dilations: [1, 2]),
        convolution("dilated", [2, 6, 6, 1], [2, 1, 3, 3], padding: 2, dilations: [2]),
        convolution("groups", [2, 3, 4, 4], [6, 2, 3, 3], padding: 1, groups: 2),
        convolution("depthwise", [3, 4, 4, 3], [3, 1, 3, 3], padding: 1, groups: 3),
        convolution(
            "depthwise, two outputs per channel", [2, 4, 3, 2], [4, 1, 3, 3], strides: [2],
            padding: .same, groups: 2),
        convolution("3-D", [2, 3, 3, 4, 2], [2, 2, 2, 3, 3], padding: 1),
    ]

    private static let transposedConvolutions = [
        OperationCase("transposed convolution, 1-D", [.normal([2, 4, 3]), .normal([3, 2, 3])]) {
            [$0[0].transposedConvolution($0[1], strides: [2], padding: 1, outputPadding: [1])]
        },
        OperationCase(
            "transposed convolution, 2-D", [.normal([2, 3, 2, 4]), .normal([4, 1, 3, 2])]
        ) {
            [$0[0].transposedConvolution($0[1], strides: [2, 3], padding: .valid, groups: 2)]
        },
        OperationCase(
            "transposed convolution, same", [.normal([2, 3, 2, 2]), .normal([2, 3, 3, 3])]
        ) {
            [$0[0].transposedConvolution($0[1], strides: [2], padding: .same, dilations: [2])]
        },
    ]

    private static let poolings = [
        OperationCase("max pooling 1-D", [.spaced([3, 7, 2])]) { [$0[0].maxPooled([3])] },
        OperationCase("max pooling", [.spaced([3, 4, 6, 3])]) { [$0[0].maxPooled([2]).square()] },
        OperationCase("max pooling, overlapping", [.spaced([2, 5, 4, 2])]) {
            [$0[0].maxPooled([3], strides: [2], padding: 1).square()]
        },
        OperationCase("max pooling, rounded up", [.spaced([2, 5, 6, 2])]) {
            [
                $0[0].maxPooled([2, 3], strides: [2, 4], padding: .same).square(),
                $0[0].maxPooled([2, 4], roundsUp: true).square(),
            ]
        },
        OperationCase("max pooling 3-D", [.spaced([2, 2, 4, 3, 2])]) {
            [$0[0].maxPooled([2, 2, 3]).square(), $0[0].globalMaxPooled()]
        },
        OperationCase("max pooling selection", [.spaced([2, 4, 3]), .normal([2, 4, 3])]) {
            [Tensor(MaxPoolSelection(PoolWindows([[0..<2, 1..<4]])), $0[0], $0[1]).square()]
        },
        OperationCase("adaptive max pooling", [.spaced([2, 5, 3, 2])]) {
            [$0[0].adaptiveMaxPooled(to: [3, 2]).square()]
        },
        OperationCase("average pooling", [.normal([3, 4, 6, 3])]) {
            [$0[0].averagePooled([2]).square(), $0[0].averagePooled([3, 2], strides: [1])]
        },
        OperationCase("average pooling, padded", [.normal([2, 5, 4, 2])]) { x in
            [true, false].map {
                x[0].averagePooled(
                    [3], strides: [2], padding: 1, roundsUp: true, countsPadding: $0
                ).square()
            }
        },
        OperationCase("average pooling 1-D", [.normal([3, 7, 2])]) {
            [$0[0].averagePooled([3], strides: [2]).square()]
        },
        OperationCase("adaptive average pooling", [.normal([2, 5, 3, 2])]) {
            [$0[0].adaptiveAveragePooled(to: [3, 2]).square()]
        },
        OperationCase("global average pooling", [.normal([3, 4, 2, 5])]) {
            [$0[0].globalAveragePooled().square()]
        },
    ]

    private static let resizings =
        EdgeMode.allCases.map { mode in
            OperationCase("\(mode) padding", [.normal([3, 4, 3, 2])]) {
                [$0[0].padded(before: [2, 1], after: [0, 2], mode: mode).square()]
            }
        }
        + [
            Interpolation.nearest, .linear(alignsCorners: false), .linear(alignsCorners: true),
        ].map { interpolation in
            OperationCase("resizing, \(interpolation)", [.normal([2, 3, 4, 2])]) {
                [
                    $0[0].upsampled(by: 2, interpolation).square(),
                    $0[0].resized(to: [5, 2], interpolation).square(),
                ]
            }
        }

    /// For `largeBatches`: shards of unequal size, and groups of several shards.
    static let imageBatches = [
        OperationCase(
            "convolutions",
            [
                .normal([61, 6, 5, 3]), .normal([20, 3, 3, 3], seed: 2), .normal([4, 20, 1, 1]),
                .normal([20], seed: 4),
            ]
        ) {
            let hidden = ($0[0].convolution($0[1], padding: 1) + $0[3]).relu()
            return [hidden.convolution($0[2], strides: [2]), hidden.globalAveragePooled()]
        },
        OperationCase(
            "depthwise and transposed",
            [.normal([37, 5, 4, 16]), .normal([16, 1, 3, 3], seed: 2), .normal([16, 3, 2, 2])]
        ) {
            let hidden = $0[0].convolution($0[1], padding: 1, groups: 16).leakyReLU()
            return [hidden.transposedConvolution($0[2], strides: [2])]
        },
        OperationCase("pooled images", [.spaced([61, 6, 6, 19])]) {
            [
                $0[0].maxPooled([3], strides: [2], padding: 1),
                $0[0].averagePooled([2], padding: 1), $0[0].upsampled(by: 2, .linear()),
            ]
        },
    ]
}
