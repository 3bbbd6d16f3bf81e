import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Training parity with PyTorch")
struct ParityTests {
    struct File: Decodable {
        struct Case: Decodable {
            var name: String
            var layers: [Int]
            var norm: String
            var bias: Bool
            var optimizer: String
            var options: [String: Double]
            var batchSize: Int
            var steps: Int
            var inputs: Fixtures.Tensor
            var labels: Fixtures.Tensor
            var initial: [String: Fixtures.Tensor]
            var losses: [Double]
            var final: [String: Fixtures.Tensor]
            var inference: Fixtures.Tensor
        }
        var cases: [Case]
    }

    final class LossRecorder: TrainingCallback {
        var losses: [Double] = []
        override func stepDidEnd(_ session: TrainingSession) { losses.append(session.lastLoss) }
    }

    static func model(_ test: File.Case) -> Module {
        func norm(_ width: Int) -> [Module] {
            switch test.norm {
            case "batch": [BatchNorm(width)]
            case "layer": [LayerNorm(width)]
            default: []
            }
        }
        return Sequential {
            Dense(test.layers[0], test.layers[1], bias: test.bias)
            norm(test.layers[1])
            ReLU()
            Dense(test.layers[1], test.layers[2], bias: test.bias)
            norm(test.layers[2])
        }
    }

    /// Every step's loss, the final weights and statistics, and inference: in Double by the reference to
    /// rounding, in float32 by the fast backend within what rounding does over 200 steps.
    @Test("Two hundred steps", arguments: 0..<4, [Backend.reference, .fast])
    func steps(index: Int, backend: Backend) throws {
        let test = try Fixtures.read("training", as: File.self).cases[index]
        let model = Self.model(test)
        let type: ElementType = backend == .reference ? .float64 : .float32
        let tolerance = backend == .reference ? 1e-9 : 1e-4
        model.convert(to: type)
        for (name, variable) in model.namedVariables where variable.spec.type.isFloatingPoint {
            variable.value = try #require(test.initial[name]).array.converted(to: type)
        }
        let optimizer: Optimizer =
            test.optimizer == "sgd"
            ? SGD(learningRate: test.options["lr"]!, momentum: test.options["momentum"]!)
            : Adam(learningRate: test.options["lr"]!)
        let trainer = Trainer(model, loss: .crossEntropy, optimizer: optimizer, backend: backend)
        let data = try Dataset(
            features: test.inputs.array.converted(to: type),
            labels: test.labels.array.converted(to: .int32), classCount: test.layers[2])
        let recorder = LossRecorder()
        try trainer.fit(
            data, .steps(test.steps), batchSize: test.batchSize, shuffles: false,
            callbacks: [recorder])

        #expect(recorder.losses.count == 200)
        for (step, (found, expected)) in zip(recorder.losses, test.losses).enumerated() {
            #expect(abs(found - expected) <= tolerance * expected, "step \(step)")
        }
        for (name, variable) in model.namedVariables {
            let found: [Double] = variable.value.elements()
            for (a, b) in zip(found, try #require(test.final[name]).values) {
                #expect(abs(a - b) <= tolerance * (1 + abs(b)), "\(name)")
            }
        }
        let outputs: [Double] = try trainer.predict(data.subset(0..<32)).elements()
        for (a, b) in zip(outputs, test.inference.values) {
            #expect(abs(a - b) <= max(tolerance, 1e-6) * (1 + abs(b)))
        }
    }
}
