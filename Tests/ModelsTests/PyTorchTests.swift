import Arrays
import Graph
import Layers
import Models
import Runtime
import TestSupport
import Testing

/// A narrow ResNet-20 from PyTorch's weights, step by step, in float32 against PyTorch's float64.
@Suite("ResNet-20 as PyTorch trains it")
struct PyTorchTests {
    struct Fixture: Decodable {
        let cases: [Run]

        struct Run: Decodable {
            let images, labels, logits: FixtureTensor
            let batch: Int
            let rate, momentum: Double
            let initial, states: [String: FixtureTensor]
            let losses: [Double]
        }
    }

    @Test("Losses, running statistics and logits agree over 20 steps")
    func training() throws {
        let run = try #require(try Fixtures.load("resnet.json", as: Fixture.self).cases.first)
        let model = ResNet.small(depth: 20, channels: 1, classes: 5, width: 4)
        #expect(Set(model.namedParameters.map(\.name)) == Set(run.initial.keys))
        for (name, parameter) in model.namedParameters {
            parameter.value = try #require(run.initial[name]).array.converted(to: .float32)
        }
        let velocities = model.parameters.map {
            Variable(NDArray(repeating: 0, shape: $0.shape).converted(to: .float32))
        }
        let step = Step { inputs in
            let loss = model(inputs[0], Context(.training)).crossEntropy(inputs[1]).mean()
            let gradients = loss.gradients(model.parameters.map(\.tensor))
            for ((parameter, velocity), gradient) in zip(
                zip(model.parameters, velocities), gradients)
            {
                let next = velocity.tensor * run.momentum + gradient
                velocity.propose(next)
                parameter.variable.propose(parameter.tensor - next * run.rate)
            }
            return [loss]
        }

        let pixels = run.images.array.elements(as: Float.self)
        let labels = run.labels.array.elements(as: Int32.self)
        let length = pixels.count / labels.count
        for (index, expected) in run.losses.enumerated() {
            let rows = (0..<run.batch).map { (index * run.batch + $0) % labels.count }
            let batch = NDArray(
                rows.flatMap { pixels[($0 * length)..<(($0 + 1) * length)] },
                shape: Shape([run.batch] + run.images.shape.dropFirst()))
            let outcome = step(batch, NDArray(rows.map { labels[$0] }))
            let loss = outcome.outputs[0].item(as: Double.self)
            #expect(outcome.isCommitted && abs(loss - expected) <= 1e-4, "step \(index): \(loss)")
        }

        for (name, state) in model.namedStates where name.contains("running") {
            let expected = try #require(run.states[name]).values
            for (a, b) in zip(state.value.elements(as: Double.self), expected) {
                #expect(abs(a - b) <= 1e-3 * (1 + abs(b)), "\(name): \(a), expected \(b)")
            }
        }
        let logits = model(Tensor(run.images.array.converted(to: .float32))).evaluate()
        let worst = zip(logits.elements(as: Double.self), run.logits.values)
            .map { abs($0 - $1) }.max()!
        #expect(worst <= 1e-3, "logits are off by \(worst)")
    }
}
