import Arrays
import Graph
import TestSupport
import Testing

import Runtime

/// A dense layer in front of a batch norm: the weight's gradient takes the norm's by channels.
@Suite struct GradientByChannelsTests {
    /// Samples, features and units; the last are few enough to be done at once.
    static let sizes = [(64, 96, 80), (35, 130, 77), (128, 784, 128), (9, 5, 3)]

    private func array(_ shape: Shape, seed: UInt64) -> NDArray {
        NDArray(Philox(key: seed).normal(shape).map { Float($0) }, shape: shape)
    }

    private func makeStep(_ backend: Backend, threads: Int, samples: Int, units: Int) -> Step {
        Step(backend: backend, workers: Workers(count: threads)) { inputs in
            let x = inputs[0].matmul(inputs[1], transposingOther: true)
            let y = OperationCases.batchNorm(
                x, axis: 1, gamma: .ones([units]), beta: .zeros([units])
            ).relu()
            return [(y * inputs[2]).sum().gradients([inputs[1]])[0]]
        }
    }

    @Test(arguments: sizes)
    func agreesWithTheReference(samples: Int, features: Int, units: Int) {
        let inputs = [
            array([samples, features], seed: 1), array([units, features], seed: 2),
            array([samples, units], seed: 3),
        ]
        let steps = [1, 2, 3].map {
            makeStep(.fast, threads: $0, samples: samples, units: units)
        }
        let results = steps.map { $0.run(inputs).outputs[0].elements(as: Float.self) }
        let plan = steps[0].compiled(inputs.map { TensorSpec($0.shape, $0.elementType) }).plan
        #expect(plan?.description.contains("by channels") == true)
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])

        let reference = makeStep(.reference, threads: 1, samples: samples, units: units)
        let expected = reference.run(inputs).outputs[0].elements(as: Double.self)
        let largest = expected.map(abs).max() ?? 0
        for (a, b) in zip(results[0], expected) {
            #expect(abs(Double(a) - b) <= 2e-5 * largest)
        }
    }
}
