import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Testing
import Training

/// The article's network against PyTorch in float64. Its data and weights are made by a formula that
/// `Tests/Fixtures/README.md` describes, for they are too large to store.
@Suite("Training parity with PyTorch: the article's network")
struct ArticleParityTests {
    struct Case: Decodable {
        var layers: [Int]
        var options: [String: Double]
        var batchSize: Int
        var rows: Int
        var steps: Int
        var firstInputs: Fixtures.Tensor
        var firstWeights: Fixtures.Tensor
        var losses: [Double]
        var final: [String: Fixtures.Tensor]
        var finalRowSums: Fixtures.Tensor
        var finalRowProjections: Fixtures.Tensor
        var finalCorner: Fixtures.Tensor
        var inference: Fixtures.Tensor
    }

    /// Numbers in -1..<1 that are exact in float32, by SplitMix64.
    static func stream(_ seed: UInt64, _ shape: Shape, over divisor: Double = 1) -> NDArray {
        var state = seed
        let values = (0..<shape.elementCount).map { _ -> Double in
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return (Double((z ^ (z >> 31)) >> 40) * 0x1p-23 - 1) / divisor
        }
        return NDArray(values, shape: shape)
    }

    static func model(_ test: Case) -> Sequential {
        let (inputs, hidden, outputs) = (test.layers[0], test.layers[1], test.layers[2])
        let model = Sequential {
            Dense(inputs, hidden, bias: false)
            BatchNorm(hidden)
            ReLU()
            Dense(hidden, outputs, bias: false)
            BatchNorm(outputs)
        }
        let values: [String: NDArray] = [
            "0.weight": stream(2, [hidden, inputs], over: 16),
            "1.weight": NDArray(repeating: 0.1875, shape: [hidden]),
            "1.bias": NDArray((0..<hidden).map { $0 % 4 == 3 ? -1.0 : 1 }),
            "3.weight": stream(3, [outputs, hidden], over: 8),
        ]
        for (name, parameter) in model.namedParameters {
            if let value = values[name] { parameter.value = value.converted(to: .float32) }
        }
        return model
    }

    @Test("Two hundred steps in float32: losses, weights, statistics, inference")
    func steps() throws {
        let test = try Fixtures.read("training_article", as: Case.self)
        let features = Self.stream(1, [test.rows, test.layers[0]])
        let model = Self.model(test)
        #expect(features.elements(as: Double.self).starts(with: test.firstInputs.values))
        let weight = try #require(model.namedParameters.first?.parameter)
        #expect(weight.value.elements(as: Double.self).starts(with: test.firstWeights.values))

        let trainer = Trainer(
            model, loss: .crossEntropy,
            optimizer: Adam(learningRate: test.options["lr"]!, epsilon: test.options["eps"]!))
        let data = try Dataset(
            features: features.converted(to: .float32),
            labels: NDArray((0..<test.rows).map { Int32((7 * $0 + $0 / 10) % 10) }))
        let recorder = ParityTests.LossRecorder()
        try trainer.fit(
            data, .steps(test.steps), batchSize: test.batchSize, shuffles: false,
            callbacks: [recorder])

        #expect(recorder.losses.count == test.losses.count)
        for (step, (found, expected)) in zip(recorder.losses, test.losses).enumerated() {
            #expect(abs(found - expected) <= 1e-4 * expected, "step \(step): \(found), \(expected)")
        }
        for (name, variable) in model.namedVariables where name != "0.weight" {
            // The true gradients of these are nearly zero, and Adam makes steps of their rounding.
            let tolerance = ["1.bias", "4.running_mean"].contains(name) ? 1e-3 : 1e-4
            expect(variable.value, try #require(test.final[name]), name, tolerance)
        }
        // The large matrix, by what is stored of it.
        let final = Tensor(weight.value.converted(to: .float64))
        let directions = Tensor(Self.stream(4, [test.layers[0], 1]))
        expect(final.sum(axes: [1]).evaluate(), test.finalRowSums, "row sums", 1e-3)
        expect(final.matmul(directions).evaluate(), test.finalRowProjections, "projections", 1e-3)
        let corner = final.sliced(0..<4, axis: 0).sliced(0..<8, axis: 1)
        expect(corner.evaluate(), test.finalCorner, "corner", 1e-4)
        expect(try trainer.predict(data.subset(0..<4)), test.inference, "inference", 1e-4)
    }

    private func expect(
        _ found: NDArray, _ expected: Fixtures.Tensor, _ name: String, _ tolerance: Double
    ) {
        let values: [Double] = found.elements()
        #expect(values.count == expected.values.count, "\(name)")
        for (a, b) in zip(values, expected.values) {
            #expect(abs(a - b) <= tolerance * (1 + abs(b)), "\(name)")
        }
    }
}
