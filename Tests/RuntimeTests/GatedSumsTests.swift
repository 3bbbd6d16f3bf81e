import Arrays
import Graph
import Testing

import Runtime

/// The gradient of a residual block's output goes through the ReLU and into the sums of a normalization, or of
/// a bias, in one pass.
@Suite struct GatedSumsTests {
    private static let shape: Shape = [37, 9, 9, 16]

    private func inputs(_ type: ElementType) -> [NDArray] {
        let shapes: [Shape] = [Self.shape, [16, 16, 1, 1], [16, 16, 1, 1], [1, 1, 1, 16]]
        return shapes.enumerated().map { index, shape in
            let normal = Philox(key: UInt64(index)).normal(shape)
            return NDArray(normal.map { Float($0 / 4 + 0.1) }, shape: shape).converted(to: type)
        }
    }

    /// Two residual blocks: the gradient of the first one's output is a sum of two.
    private func body(normalized: Bool) -> ([Tensor]) -> [Tensor] {
        { inputs in
            var x = inputs[0]
            for weight in inputs[1...2] {
                var y = x.convolution(weight)
                if normalized {
                    let m = y.moments()
                    let scale = (m.variance + 1e-3).rsqrt()
                    y = y.centredScale(axis: -1, mean: m.mean, low: m.low, scale: scale)
                } else {
                    y = y + inputs[3]
                }
                x = (y + x).relu()
            }
            let loss = x.cast(to: .float32).square().sum()
            return [loss] + loss.gradients(normalized ? Array(inputs[...2]) : inputs)
        }
    }

    @Test(arguments: [ElementType.float32, .bfloat16], [true, false])
    func onePass(_ type: ElementType, normalized: Bool) {
        let inputs = inputs(type)
        let body = body(normalized: normalized)
        let step = Step(workers: Workers(count: 2), body)
        let plan = step.compiled(inputs.map { TensorSpec($0.shape, $0.elementType) }).plan!
        let joined = plan.phases.flatMap(\.segments).flatMap(\.joined)
        // Over float32 the sums for a bias are taken tile by tile.
        let isGated = joined.contains { $0.operation.name == "reluGradient" }
        #expect(isGated == (normalized || type == .bfloat16))

        let found = step.run(inputs).outputs
        for threads in [1, 3, 8] {
            #expect(Step(workers: Workers(count: threads), body).run(inputs).outputs == found)
        }
        // Rounding to bfloat16 moves numbers across the ReLU's corner; the kernel's own test knows its bits.
        guard type == .float32 else { return }
        let expected = Step(backend: .reference, body).run(inputs).outputs
        for (a, b) in zip(found, expected) {
            let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
            let scale = y.map(abs).max()!
            #expect(zip(x, y).allSatisfy { abs($0 - $1) <= 2e-5 * scale })
        }
    }
}
