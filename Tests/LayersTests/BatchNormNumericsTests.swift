import Arrays
import Graph
import Layers
import Runtime
import Testing

/// Batch norm's float32 output against the exact one, where others cancel: large offsets, constant
/// channels, tiny variances, huge inputs.
@Suite struct BatchNormNumericsTests {
    /// One distribution of inputs: `offset + scale * noise`.
    struct Inputs: Sendable, CustomStringConvertible {
        let offset: Double
        let scale: Double
        var description: String { "offset \(offset), scale \(scale)" }

        static let all: [Inputs] =
            [0, 1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, -1e6].map { Inputs(offset: $0, scale: 1) }
            + [1e-6, 1e-3, 1e3, 1e6, 1e15, 1e30].map { Inputs(offset: 0, scale: $0) }
            + [Inputs(offset: 7, scale: 1e-3), Inputs(offset: -1e30, scale: 1e28)]
    }

    /// The exact output in Double, from the very numbers that the layer sees.
    private func exact(
        _ x: [Float], _ shape: Shape, axis: Int, epsilon: Double, gamma: [Float], beta: [Float]
    ) -> [Double] {
        let view = ChannelView(shape, axis: axis)
        var result = [Double](repeating: 0, count: x.count)
        let count = Double(view.outer * view.inner)
        for channel in 0..<view.channels {
            let offsets = (0..<view.outer).flatMap { o in
                (0..<view.inner).map { (o * view.channels + channel) * view.inner + $0 }
            }
            let first = offsets.reduce(0) { $0 + Double(x[$1]) } / count
            let mean = first + offsets.reduce(0) { $0 + (Double(x[$1]) - first) } / count
            let variance =
                offsets.reduce(0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / count
            for offset in offsets {
                result[offset] =
                    (Double(x[offset]) - mean) / (variance + epsilon).squareRoot()
                    * Double(gamma[channel]) + Double(beta[channel])
            }
        }
        return result
    }

    @Test(
        arguments: Inputs.all,
        [([61, 5], 1), ([300, 32], 1), ([7, 6, 5, 17], 3), ([7, 17, 6, 5], 1)] as [(Shape, Int)])
    func outputIsRightToTheLastDigits(inputs: Inputs, layout: (shape: Shape, axis: Int)) {
        let (shape, axis) = layout
        let channels = shape[axis]
        let x = Philox(key: 11).normal(shape).map { Float(inputs.offset + inputs.scale * $0) }
        let layer = BatchNorm(channels, axis: axis)
        let gamma = (0..<channels).map { 0.5 + Float($0) / 8 }
        let beta = (0..<channels).map { Float($0) / 4 - 1 }
        layer.gamma!.value = NDArray(gamma)
        layer.beta!.value = NDArray(beta)
        let step = Step { [layer($0[0], Context(.training))] }
        let found = step(NDArray(x, shape: shape)).outputs[0].elements(as: Float.self)
        let expected = exact(
            x, shape, axis: axis, epsilon: layer.epsilon, gamma: gamma, beta: beta)
        for (y, truth) in zip(found, expected) {
            #expect(abs(Double(y) - truth) <= 4e-6 * (1 + abs(truth)), "\(y), exactly \(truth)")
        }
    }

    @Test(arguments: [0, 0.1, 1e5, 16_777_216, -3e30] as [Float])
    func constantChannelIsExactlyBeta(value: Float) {
        let layer = BatchNorm(3)
        layer.beta!.value = NDArray([0.1, -7, 1e-3] as [Float])
        let step = Step { [layer($0[0], Context(.training))] }
        let outcome = step(NDArray(repeating: value, shape: [37, 3]))
        #expect(outcome.isCommitted)
        let rows = outcome.outputs[0].elements(as: Float.self)
        for (index, y) in rows.enumerated() { #expect(y == [0.1, -7, 1e-3][index % 3]) }
    }

    /// With variance 1e-12, epsilon decides; without it the noise is stretched to unit variance.
    @Test(arguments: [1e-5, 1e-12, 1e-15])
    func tinyVariance(epsilon: Double) {
        let shape: Shape = [128, 4]
        let x = Philox(key: 5).normal(shape).map { Float(1e-6 * $0) }
        let layer = BatchNorm(4, epsilon: epsilon)
        let step = Step { [layer($0[0], Context(.training))] }
        let found = step(NDArray(x, shape: shape)).outputs[0].elements(as: Float.self)
        let expected = exact(
            x, shape, axis: 1, epsilon: epsilon, gamma: [1, 1, 1, 1], beta: [0, 0, 0, 0])
        for (y, truth) in zip(found, expected) {
            #expect(abs(Double(y) - truth) <= 4e-6 * (1 + abs(truth)))
        }
    }

    /// A batch that is not finite leaves the running statistics and the parameters as they are.
    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func nonFiniteBatchCommitsNothing(value: Float) {
        let layer = BatchNorm(2)
        let step = Step { [layer($0[0], Context(.training))] }
        #expect(step(NDArray([1, 2, 3, 5] as [Float], shape: [2, 2])).isCommitted)
        let before = layer.statistics!.runningVariance.value
        let outcome = step(NDArray([1, 2, value, 4] as [Float], shape: [2, 2]))
        #expect(!outcome.isCommitted)
        #expect(outcome.failedChecks.first?.contains("BatchNorm") == true)
        #expect(layer.statistics!.runningVariance.value == before)
    }
}
