import Arrays
import Graph

extension OperationCases {
    /// Batches of several hundred samples, an odd number of them: enough for a backend that splits work
    /// over rows to do so. Too slow for finite differences.
    public static let largeBatches: [OperationCase] =
        perSample + acrossSamples + normalizing
        + imageBatches

    private static let batch = 613
    private static let x = SampleInput.normal([batch, 21])
    private static let other = SampleInput.normal([batch, 21], seed: 2)
    private static let row = SampleInput.normal([21], seed: 3)
    private static let column = SampleInput.normal([batch, 1], seed: 4)
    private static let labels = SampleInput.indices([batch], below: 21)

    private static let perSample = [
        OperationCase("chain", [x, other, row, column]) {
            [(($0[0] * $0[1] + $0[2]).tanh() / ($0[3].square() + 1)).leakyReLU()]
        },
        OperationCase("softmax", [x]) { [$0[0].softmax(), $0[0].logSoftmax()] },
        OperationCase("cross-entropy", [x, labels]) {
            [$0[0].crossEntropy($0[1], labelSmoothing: 0.1), $0[0].crossEntropy($0[1]).mean()]
        },
        OperationCase("per-sample sums", [x]) {
            [$0[0].sum(axes: [1]), $0[0].max(axes: [1]), $0[0].variance(axes: [1])]
        },
        OperationCase("movement", [x, other]) {
            let joined = Tensor.concatenate([$0[0], $0[1]], axis: 1)
            let image = joined.reshape([-1, 6, 7]).transposed(axes: [0, 2, 1])
            return [image[0..., 1..<6].flattened().square(), joined.broadcast(to: [batch, 42])]
        },
        OperationCase("rows merged by reshape", [.normal([600, 20])]) {
            [$0[0].reshape([120, 100]).square(), $0[0].exp().reshape([2400, 5]).square()]
        },
        OperationCase("dense", [x, .normal([33, 21], seed: 5)]) {
            [$0[0].matmul($0[1], transposingOther: true).relu()]
        },
        OperationCase("lookup", [.normal([50, 21]), .indices([batch], below: 50, stride: 7)]) {
            [$0[0].gather($0[1]).square()]
        },
        OperationCase(
            "dropout",
            [x, .integers([3], shape: []), .indices([batch], below: 60_000, stride: 977)]
        ) { [$0[0].dropout(rate: 0.3, seed: 4, step: $0[1], indices: $0[2])] },
    ]

    private static let acrossSamples = [
        OperationCase("batch sums", [x]) {
            [$0[0].sum(axes: [0]), $0[0].mean(), $0[0].max(axes: [0]), $0[0].min()]
        },
        OperationCase("batch variance", [x]) { [$0[0].variance(axes: [0]), $0[0].variance()] },
        OperationCase("statistics used by rows", [x]) {
            [($0[0] - $0[0].mean(axes: [0])).square() / ($0[0].max(axes: [0]) + 1)]
        },
        OperationCase("mixed rows", [x, other]) {
            [
                $0[0].softmax(axis: 0), $0[0].transposed().square(),
                $0[0][100..<400] * $0[1][7..<307],
            ]
        },
        OperationCase("joined rows", [x, other]) { [Tensor.concatenate($0).square()] },
        OperationCase("gram matrices", [x, other]) {
            [$0[0].matmul($0[1], transposed: true), $0[0].matmul($0[1], transposingOther: true)]
        },
        OperationCase("argmax", [x], differentiable: []) {
            [$0[0].argmax(), $0[0].argmax(axis: 0), ($0[0] .> 2.5).any(axes: [0])]
        },
    ]

    private static let normalizing = [
        ([613, 21] as Shape, 1), ([61, 5, 6, 7], 3), ([61, 7, 5, 6], 1),
    ].map { shape, axis in
        let channels = shape[axis]
        return OperationCase(
            "batch norm, axis \(axis)",
            [
                .normal(shape), .uniform([channels], in: 0.5..<2, seed: 4),
                .normal([channels], seed: 5), .normal(shape, seed: 6),
            ]
        ) {
            let y = batchNorm($0[0], axis: axis, gamma: $0[1], beta: $0[2])
            return [y.relu(), (y + $0[3]).relu()]
        }
    }
}
