import Arrays
import Graph
import Testing

import Runtime

/// A normalization that is made again in the backward pass takes the sums of its gradient on its way.
@Suite struct JoinedPassTests {
    /// Large enough to be made again rather than kept.
    private static let shape: Shape = [37, 15, 15, 16]

    private func inputs(_ type: ElementType) -> [NDArray] {
        let shapes: [Shape] = [Self.shape, [16, 16, 1, 1], [16, 16, 1, 1], [5, 16, 1, 1]]
        return shapes.enumerated().map { index, shape in
            let normal = Philox(key: UInt64(index)).normal(shape)
            return NDArray(normal.map { Float($0 / 4 + 0.1) }, shape: shape).converted(to: type)
        }
    }

    /// Two normalizations between convolutions: the first is made again in a later phase.
    private func body(_ activation: @escaping (Tensor) -> Tensor) -> ([Tensor]) -> [Tensor] {
        { inputs in
            var x = inputs[0]
            for weight in inputs[1...2] {
                x = x.convolution(weight)
                let m = x.moments()
                let scale = (m.variance + 1e-3).rsqrt()
                x = activation(
                    x.centredScale(axis: -1, mean: m.mean, low: m.low, scale: scale, shift: scale))
            }
            let loss = x.convolution(inputs[3]).cast(to: .float32).square().sum()
            return [loss] + loss.gradients(inputs)
        }
    }

    /// Convolutions that go through float32 keep what is normalized for it in the place of making it again.
    @Test(arguments: Processor.hasBFloat16 ? [.float32, .bfloat16] : [ElementType.float32])
    func oneKernelTakesBoth(_ type: ElementType) {
        let inputs = inputs(type)
        for activation in [{ $0.relu() }, { $0.clamped(to: 0...6) }] as [(Tensor) -> Tensor] {
            let body = body(activation)
            let step = Step(workers: Workers(count: 2), body)
            let plan = step.compiled(inputs.map { TensorSpec($0.shape, $0.elementType) }).plan!
            let joined = plan.phases.flatMap(\.segments).flatMap(\.joined)
            #expect(joined.count == 1)
            #expect(plan.description.contains("in the pass of another"))

            let found = step.run(inputs).outputs
            for threads in [1, 3, 8] {
                #expect(Step(workers: Workers(count: threads), body).run(inputs).outputs == found)
            }
            guard type == .float32 else { continue }
            let expected = Step(backend: .reference, body).run(inputs).outputs
            for (a, b) in zip(found, expected) {
                let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
                let scale = y.map(abs).max()!
                #expect(zip(x, y).allSatisfy { abs($0 - $1) <= 2e-5 * scale })
            }
        }
    }
}
