import Arrays
import Graph
import Testing

@testable import Runtime

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
