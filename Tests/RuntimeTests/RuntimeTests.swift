import Arrays
import Graph
import TestSupport
import Testing

import Runtime

@Suite struct FastStepTests {
    func array(_ shape: Shape, seed: UInt64, offset: Double = 0) -> NDArray {
        NDArray(Philox(key: seed).normal(shape).map { Float($0 + offset) }, shape: shape)
    }

    /// A dense layer, batch norm, ReLU, a loss, and its gradients.
    func network(_ x: Tensor, _ w: Tensor, _ gamma: Tensor, _ beta: Tensor) -> [Tensor] {
        let z = x.matmul(w, transposingOther: true)
        let m = z.moments()
        let scale = gamma * (m.variance + 1e-5).rsqrt()
        let y = z.centredScale(axis: -1, mean: m.mean, low: m.low, scale: scale, shift: beta).relu()
        let loss = (y * y * y).sum() * 0.01
        return [loss, y, m.mean, m.variance] + loss.gradients([x, w, gamma, beta])
    }

    @Test(arguments: [1, 2, 3, 8], [3, 7, 32, 128])
    func agreesWithReference(threads: Int, batch: Int) {
        let inputs = [
            array([batch, 20], seed: 1), array([13, 20], seed: 2),
            NDArray(Philox(key: 3).normal([13])), NDArray(Philox(key: 4).normal([13])),
        ]
        let body: ([Tensor]) -> [Tensor] = { network($0[0], $0[1], $0[2], $0[3]) }
        let workers = Workers(count: threads)
        let fast = Step(backend: .fast, workers: workers, body)
        let expected = Step(backend: .reference, body).run(inputs).outputs
        for _ in 0..<3 {
            let found = fast.run(inputs).outputs
            for (a, b) in zip(found, expected) {
                let scale = b.elements(as: Double.self).map(abs).max()!
                for (x, y) in zip(a.elements(as: Double.self), b.elements(as: Double.self)) {
                    #expect(abs(x - y) <= 1e-5 * scale)
                }
            }
        }
    }
}

/// Every operation, fast against reference.
@Suite struct BackendAgreementTests {
    @Test(arguments: OperationCases.all)
    func agrees(sample: OperationCase) {
        for type in [ElementType.float32, .float64] {
            let inputs = sample.inputs(type)
            let body: ([Tensor]) -> [Tensor] = { leaves in
                let outputs = sample.build(leaves)
                let targets = sample.differentiable.map { leaves[$0] }
                let smooth = outputs.filter { $0.elementType.isFloatingPoint }
                guard !targets.isEmpty, !smooth.isEmpty else { return outputs }
                let seeds = smooth.map { Tensor(repeating: 0.75, shape: $0.shape, $0.elementType) }
                return outputs + pullback(of: smooth, seeds: seeds, to: targets)
            }
            let expected = Step(backend: .reference, body).run(inputs).outputs
            let found = Step(workers: Workers(count: 2), body).run(inputs).outputs
            let tolerance = type == .float32 ? 2e-5 : 1e-12
            for (a, b) in zip(found, expected) {
                #expect(a.shape == b.shape && a.elementType == b.elementType)
                let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
                let scale = max(1, y.filter(\.isFinite).map(abs).max() ?? 1)
                for index in x.indices {
                    let same =
                        x[index] == y[index] || (x[index].isNaN && y[index].isNaN)
                        || abs(x[index] - y[index]) <= tolerance * scale
                    #expect(
                        same, "\(sample) \(type) at \(index): \(x[index]), expected \(y[index])")
                }
            }
        }
    }
}

@Suite struct RecomputationTests {
    /// Two normalized products in a row: the first's normalized output is read again by the weight
    /// gradient of the second, which a reduction over samples computes.
    @Test func normalizedOutputIsNotKept() {
        let rows = 2048
        let inputs = [
            NDArray(Philox(key: 1).normal([rows, 32]).map { Float($0) }, shape: [rows, 32]),
            NDArray(Philox(key: 2).normal([32]).map { Float($0) }, shape: [32]),
        ]
        let body: ([Tensor]) -> [Tensor] = { inputs in
            var x = inputs[0]
            for _ in 0..<3 {
                let m = x.moments()
                let y = x.centredScale(
                    axis: -1, mean: m.mean, low: m.low, scale: (m.variance + 1e-3).rsqrt()
                ).relu()
                // Square: its gradient reads y itself.
                x = y * y * inputs[1] + x
            }
            let loss = x.square().sum()
            return [loss] + loss.gradients(inputs)
        }
        let step = Step(workers: Workers(count: 2), body)
        let plan = step.compiled(inputs.map { TensorSpec($0.shape, $0.elementType) }).plan!
        let normalized = plan.schedule.nodes.filter { $0.operation is CentredScale }
        let activations = normalized.filter {
            ($0.operation as! CentredScale).activation != .identity
        }
        #expect(activations.count > 3, "computed again in backward")
        for node in activations {
            if case .arena = plan.homes[node.tensor] {
                Issue.record("\(node.operation.name) is kept")
            }
        }
        let expected = Step(backend: .reference, body).run(inputs).outputs
        for (a, b) in zip(step.run(inputs).outputs, expected) {
            let scale = b.elements(as: Double.self).map(abs).max()!
            for (x, y) in zip(a.elements(as: Double.self), b.elements(as: Double.self)) {
                #expect(abs(x - y) <= 2e-5 * scale)
            }
        }
    }
}
