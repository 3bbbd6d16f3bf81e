import Arrays
import Graph
import Runtime
import TestSupport
import Testing

/// Images as PyTorch convolves, pools, pads and resizes them, in float64.
@Suite struct PyTorchImageTests {
    @Test(arguments: try Fixtures.load("images.json", as: ImageFixtures.self).cases)
    func images(_ fixture: ImageFixtures.Case) throws {
        let names = fixture.inputs.keys.sorted(by: >)  // x before weight
        let arrays = try names.map { try #require(fixture.inputs[$0]).array }
        let leaves = arrays.enumerated().map {
            Tensor(InputLeaf(position: $0, spec: TensorSpec($1.shape, .float64)))
        }
        let y = try output(fixture, leaves[0], leaves.last!)
        let gradients = pullback(of: [y], seeds: [Tensor(fixture.upstream.array)], to: leaves)
        let results = ReferenceInterpreter<Double>(inputs: arrays).evaluate([y] + gradients)
        let expected = try [fixture.output] + names.map { try #require(fixture.gradients[$0]) }
        for (found, expected) in zip(results, expected) {
            #expect(found.shape == Shape(expected.shape))
            for (a, b) in zip(found.elements, expected.values) {
                #expect(abs(a - b) <= 1e-13 * (1 + abs(b)), "expected \(b), found \(a)")
            }
        }
    }

    private func output(_ fixture: ImageFixtures.Case, _ x: Tensor, _ weight: Tensor) throws
        -> Tensor
    {
        func option(_ name: String) throws -> [Int] { try #require(fixture.options[name]) }
        func flag(_ name: String) throws -> Bool { try option(name) == [1] }
        func padding() throws -> Padding {
            .sides(before: try option("paddings"), after: try option("paddings"))
        }
        switch fixture.operation {
        case "convolution":
            return x.convolution(
                weight, strides: try option("strides"), padding: try padding(),
                dilations: try option("dilations"), groups: try option("groups")[0])
        case "transposedConvolution":
            return x.transposedConvolution(
                weight, strides: try option("strides"), padding: try padding(),
                outputPadding: try option("outputPaddings"), dilations: try option("dilations"),
                groups: try option("groups")[0])
        case "maxPool":
            return x.maxPooled(
                try option("size"), strides: try option("strides"), padding: try padding(),
                roundsUp: try flag("roundsUp"))
        case "averagePool":
            return x.averagePooled(
                try option("size"), strides: try option("strides"), padding: try padding(),
                roundsUp: try flag("roundsUp"), countsPadding: try flag("countsPadding"))
        case "adaptiveMaxPool": return x.adaptiveMaxPooled(to: try option("size"))
        case "adaptiveAveragePool": return x.adaptiveAveragePooled(to: try option("size"))
        case "nearest": return x.resized(to: try option("size"))
        case "linear":
            return x.resized(
                to: try option("size"), .linear(alignsCorners: try flag("alignsCorners")))
        default:
            let mode = try #require(EdgeMode(rawValue: fixture.operation))
            return x.padded(
                before: try option("before"), after: try option("after"), mode: mode)
        }
    }
}

struct ImageFixtures: Decodable, Sendable {
    let cases: [Case]

    struct Case: Decodable, Sendable, CustomStringConvertible {
        let operation: String
        let options: [String: [Int]]
        let inputs, gradients: [String: FixtureTensor]
        let output, upstream: FixtureTensor

        var description: String { "\(operation) \(options)" }
    }
}
