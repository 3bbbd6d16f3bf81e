import Arrays
import Graph
import Testing

import Runtime

/// Networks in which samples never meet: phases hold convolutions of about one size.
@Suite struct PhaseGrainTests {
    /// Bytes of a sample: 24x24x16, then 12x12x16 and 6x6x16 after strides of 2.
    private let inputs: [NDArray] = {
        let shapes: [Shape] = [
            [24, 24, 24, 4], [16, 4, 3, 3], [16, 16, 3, 3], [16, 16, 3, 3], [16, 16, 3, 3],
        ]
        return shapes.enumerated().map { index, shape in
            let normal = Philox(key: UInt64(index)).normal(shape)
            return NDArray(normal.map { Float($0 / 8 + 0.05) }, shape: shape)
        }
    }()

    private func body(_ inputs: [Tensor]) -> [Tensor] {
        var x = inputs[0].convolution(inputs[1], padding: 1).tanh()
        for weight in inputs[2...] { x = x.convolution(weight, strides: [2], padding: 1).tanh() }
        let loss = x.square().mean()
        return [loss] + loss.gradients(Array(inputs[1...]))
    }

    @Test func convolutionsOfAPhaseAreOfLikeSize() throws {
        let step = Step(workers: Workers(count: 2), body)
        let plan = try #require(step.compiled(inputs.map { TensorSpec($0.shape, .float32) }).plan)
        var sizes: [Int: [Int]] = [:]
        for node in plan.schedule.nodes where node.isConvolution {
            guard case .rows = plan.schedule[node].mode else { continue }
            let bytes = max(node.inputs[0].spec.byteCount, node.outputs[0].byteCount)
            sizes[plan.schedule[node].time, default: []].append(bytes)
        }
        #expect(sizes.count > 1)
        for (_, bytes) in sizes { #expect(bytes.max()! <= 4 * bytes.min()!) }
    }

    @Test func resultsAreThoseOfTheReference() {
        let found = Step(workers: Workers(count: 2), body).run(inputs).outputs
        for threads in [1, 3] {
            #expect(Step(workers: Workers(count: threads), body).run(inputs).outputs == found)
        }
        let expected = Step(backend: .reference, body).run(inputs).outputs
        for (a, b) in zip(found, expected) {
            let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
            let scale = y.map(abs).max()!
            #expect(zip(x, y).allSatisfy { abs($0 - $1) <= 2e-5 * scale })
        }
    }
}
