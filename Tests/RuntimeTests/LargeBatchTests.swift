import Arrays
import Graph
import TestSupport
import Testing

import Runtime

/// Batches that are split: what the shards give together, and that threads do not show.
@Suite struct LargeBatchTests {
    @Test(arguments: OperationCases.largeBatches)
    func shardsAgreeWithReferenceForAnyNumberOfThreads(_ sample: OperationCase) {
        let inputs = sample.inputs(.float32)
        let body: ([Tensor]) -> [Tensor] = { leaves in
            let outputs = sample.build(leaves)
            guard !sample.differentiable.isEmpty else { return outputs }
            let seeds = outputs.enumerated().map { position, output in
                let numbers = Philox(key: UInt64(position)).normal(output.shape)
                return Tensor(
                    NDArray(numbers, shape: output.shape).converted(to: output.elementType))
            }
            return outputs
                + pullback(of: outputs, seeds: seeds, to: sample.differentiable.map { leaves[$0] })
        }
        let found = Step(workers: Workers(count: 1), body).run(inputs).outputs
        for threads in [2, 3, 8] {
            #expect(Step(workers: Workers(count: threads), body).run(inputs).outputs == found)
        }
        let expected = Step(backend: .reference, body).run(inputs).outputs
        for (position, (a, b)) in zip(found, expected).enumerated() {
            #expect(a.shape == b.shape && a.elementType == b.elementType)
            let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
            let scale = max(1, y.map(abs).max() ?? 1)
            let worst = zip(x, y).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= 2e-5 * scale, "result \(position) is off by \(worst) of \(scale)")
        }
    }
}
