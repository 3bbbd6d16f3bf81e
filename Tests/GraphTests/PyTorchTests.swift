import Arrays
import Graph
import Runtime
import TestSupport
import Testing

/// Values and gradients as PyTorch has them, in float64.
@Suite struct PyTorchTests {
    @Test(arguments: try Fixtures.load("activations.json", as: OperationFixtures.self).cases)
    func activations(_ fixture: OperationFixture) throws {
        let input = try #require(fixture.inputs["x"]).array
        let x = Tensor(InputLeaf(position: 0, spec: TensorSpec(input.shape, .float64)))
        func attribute(_ name: String) throws -> Double {
            try #require(fixture.attributes[name]?.number)
        }
        let y: Tensor =
            switch fixture.operation {
            case "relu": x.relu()
            case "leakyRelu": x.leakyReLU(slope: try attribute("slope"))
            case "elu": x.elu(scale: try attribute("alpha"))
            case "gelu": x.gelu(approximate: fixture.attributes["approximate"]?.word == "tanh")
            case "silu": x.silu()
            case "sigmoid": x.sigmoid()
            case "tanh": x.tanh()
            case "softplus": x.softplus()
            case "softmax": x.softmax()
            case "logSoftmax": x.logSoftmax()
            default: throw UnknownFixture(name: fixture.operation)
            }
        try compare(y, fixture, inputs: [input], variables: ["x": x])
    }

    @Test(arguments: try Fixtures.load("losses.json", as: OperationFixtures.self).cases)
    func losses(_ fixture: OperationFixture) throws {
        let name = try #require(fixture.gradients.keys.first)
        let input = try #require(fixture.inputs[name]).array
        let x = Tensor(InputLeaf(position: 0, spec: TensorSpec(input.shape, .float64)))
        func constant(_ name: String) throws -> NDArray {
            try #require(fixture.inputs[name]).array
        }
        var reduction = try #require(fixture.attributes["reduction"]?.word)
        let losses: Tensor
        if fixture.operation == "softmaxCrossEntropy" {
            let labels = Tensor(try constant("labels").converted(to: .int32))
            let smoothing = try #require(fixture.attributes["labelSmoothing"]?.number)
            losses = x.crossEntropy(labels, labelSmoothing: smoothing)
        } else {
            let target = Tensor(try constant("target"))
            // Ours are means over a sample's elements: a sample of one element is its own mean.
            let isElementwise = reduction == "none"
            let (a, b) =
                isElementwise ? (x.flattened(from: 0), target.flattened(from: 0)) : (x, target)
            let perSample: Tensor =
                switch fixture.operation {
                case "binaryCrossEntropyWithLogits": a.binaryCrossEntropy(logits: b)
                case "binaryCrossEntropy": a.binaryCrossEntropy(probabilities: b)
                case "meanSquaredError": a.meanSquaredError(b)
                case "meanAbsoluteError": a.meanAbsoluteError(b)
                case "huber": a.huber(b, delta: try #require(fixture.attributes["delta"]?.number))
                default: throw UnknownFixture(name: fixture.operation)
                }
            losses = isElementwise ? perSample.reshape(x.shape) : perSample
            if reduction == "sum" { reduction = "sum of means" }
        }
        let y: Tensor =
            switch reduction {
            case "mean": losses.mean()
            case "sum": losses.sum()
            case "sum of means": losses.sum() * Double(x.shape[1])
            default: losses
            }
        try compare(y, fixture, inputs: [input], variables: [name: x])
    }

    @Test(arguments: try Fixtures.load("normalization.json", as: SecondDerivatives.self).cases)
    func secondDerivativesOfBatchNorm(_ fixture: SecondDerivatives.Case) throws {
        let names = ["x", "gamma", "beta"]
        let arrays =
            try names.map { try #require(fixture.inputs[$0]).array } + [fixture.upstream.array]
        let leaves = arrays.enumerated().map {
            Tensor(InputLeaf(position: $0, spec: TensorSpec($1.shape, .float64)))
        }
        let axis = Int(try #require(fixture.attributes["axis"]?.number))
        let y = OperationCases.batchNorm(
            leaves[0], axis: axis, gamma: leaves[1], beta: leaves[2],
            epsilon: try #require(fixture.attributes["epsilon"]?.number))
        let first = pullback(of: [y], seeds: [leaves[3]], to: Array(leaves[0..<3]))
        let directions = try names.map { Tensor(try #require(fixture.directions[$0]).array) }
        let sum = zip(first, directions).map { ($0 * $1).sum() }.reduce(.zeros([], .float64), +)
        let second = sum.gradients([leaves[0], leaves[1], leaves[3]])

        let results = ReferenceInterpreter<Double>(inputs: arrays).evaluate([y] + first + second)
        let expected =
            try [fixture.output] + names.map { try #require(fixture.gradients[$0]) }
            + ["x", "gamma", "upstream"].map { try #require(fixture.secondGradients[$0]) }
        for (found, expected) in zip(results, expected) {
            expectClose(found, expected, tolerance: 1e-11)
        }
    }

    private func compare(
        _ y: Tensor, _ fixture: OperationFixture, inputs: [NDArray], variables: [String: Tensor]
    ) throws {
        let seed = Tensor(fixture.upstream.array)
        let (names, targets) = (Array(variables.keys), Array(variables.values))
        let gradients = pullback(of: [y], seeds: [seed], to: targets)
        let results = ReferenceInterpreter<Double>(inputs: inputs).evaluate([y] + gradients)
        expectClose(results[0], fixture.output)
        for (name, result) in zip(names, results.dropFirst()) {
            expectClose(result, try #require(fixture.gradients[name]))
        }
    }
}

private func expectClose(
    _ found: Values<Double>, _ expected: FixtureTensor, tolerance: Double = 1e-14
) {
    #expect(found.shape == Shape(expected.shape))
    for (a, b) in zip(found.elements, expected.values) {
        #expect(abs(a - b) <= tolerance * (1 + abs(b)), "expected \(b), found \(a)")
    }
}

private struct UnknownFixture: Error {
    let name: String
}

/// Batch norm's second derivatives: the gradient of sum(first derivatives * directions).
struct SecondDerivatives: Decodable, Sendable {
    let cases: [Case]

    enum CodingKeys: String, CodingKey { case cases = "secondDerivatives" }

    struct Case: Decodable, Sendable {
        let attributes: [String: FixtureValue]
        let inputs, gradients, directions, secondGradients: [String: FixtureTensor]
        let output, upstream: FixtureTensor
    }
}
