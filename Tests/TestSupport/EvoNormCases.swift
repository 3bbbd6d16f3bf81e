import Arrays
import Graph

extension OperationCases {
    /// EvoNorm-B0's operations over both layouts: values that lie on either side of the divisor's corner,
    /// and away from it.
    static let evoNorms: [OperationCase] =
        ([([3, 4, 2, 3], 3), ([2, 3, 5], 1), ([4, 2], 1)] as [(Shape, Int)]).flatMap {
            shape, axis in
            let channels = shape[axis]
            let (x, dy) = (SampleInput.spaced(shape, seed: 3), SampleInput.normal(shape, seed: 4))
            let batch = SampleInput.perChannel(channels, in: 0.83..<0.84, seed: 5)
            let slope = SampleInput.perChannel(channels, in: 0.98..<1.02, seed: 6)
            let numbers = Philox(key: 7).uniform([shape[0], channels], in: 0.5..<0.51)
            let sample = SampleInput(
                NDArray(numbers, shape: [shape[0], channels]), followsPrecision: false)
            let gamma = SampleInput.perChannel(channels, in: 0.5..<2, seed: 8)
            let beta = SampleInput.perChannel(channels, in: -1..<1, seed: 9)
            let vectors = [batch, slope, sample, gamma]
            let further = [2, 3, 4, 5].map {
                SampleInput.perChannel(channels, in: -1..<1, seed: UInt64($0))
            }
            return [
                OperationCase("evoNormScale, axis \(axis)", [x] + vectors + [beta]) {
                    [
                        $0[0].evoNormScale(
                            axis: axis, batch: $0[1], slope: $0[2], sample: $0[3], gamma: $0[4],
                            beta: $0[5])
                    ]
                },
                OperationCase("evoNormSums, axis \(axis)", [dy, x] + vectors) {
                    Node(EvoNormSums(axis: axis), $0).tensors
                },
                OperationCase("evoNormInputGradient, axis \(axis)", [dy, x] + vectors) {
                    Node(EvoNormInputGradient(axis: axis), $0).tensors
                },
                OperationCase(
                    "evoNormInputGradient with moments, axis \(axis)",
                    [dy, x] + vectors + further + [sample, sample, sample], differentiable: []
                ) {
                    Node(EvoNormInputGradient(axis: axis, hasMoments: true), $0).tensors
                },
            ]
        }
}
