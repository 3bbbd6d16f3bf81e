import Arrays
import Graph
import Runtime
import Testing

/// Convolutions of a single image, cut by rows, against the reference.
@Suite("Rows of a single image")
struct RowConvolutionTests {
    struct Case: CustomTestStringConvertible {
        var image: Shape
        var weight: Shape
        var strides = [1]
        var padding = Padding.valid
        var dilations = [1]
        var groups = 1

        var testDescription: String { "\(image) \(weight) \(strides) \(padding) \(groups)" }
    }

    static let cases: [Case] = [
        // Large enough for several shards.
        Case(image: [1, 28, 28, 16], weight: [16, 16, 3, 3], padding: 1),
        Case(image: [1, 29, 17, 16], weight: [32, 16, 5, 3], padding: .same),
        Case(image: [1, 31, 30, 16], weight: [32, 16, 3, 3], strides: [2], padding: 1),
        Case(image: [1, 40, 20, 8], weight: [16, 8, 7, 7], strides: [3, 1], padding: 3),
        Case(image: [1, 24, 24, 16], weight: [16, 16, 3, 3], padding: 4, dilations: [4]),
        Case(image: [1, 64, 40, 32], weight: [32, 1, 3, 3], padding: 1, groups: 32),
        Case(image: [1, 20, 20, 16], weight: [64, 16, 1, 1], strides: [2]),
        Case(image: [1, 700, 16], weight: [32, 16, 5], strides: [2], padding: 2),
        Case(image: [1, 9, 10, 11, 8], weight: [16, 8, 3, 3, 3], padding: 1),
        // Too small for more than one; padding that only zeros fill.
        Case(image: [1, 3, 3, 2], weight: [2, 2, 3, 3], padding: 1),
        Case(image: [1, 4, 4, 32], weight: [32, 32, 1, 1], padding: 3),
    ]

    @Test("Outputs with bias, residual and ReLU, for any threads", arguments: cases)
    func outputs(_ test: Case) {
        func numbers(_ shape: Shape, _ key: UInt64) -> NDArray {
            NDArray(Philox(key: key).normal(shape).map { Float($0) }, shape: shape)
        }
        let weight = Tensor(numbers(test.weight, 1))
        let bias = Tensor(numbers([test.weight[0]], 2))
        let body: ([Tensor]) -> [Tensor] = { inputs in
            let y = inputs[0].convolution(
                weight, strides: test.strides, padding: test.padding,
                dilations: test.dilations, groups: test.groups)
            let z = y + bias
            return [(z + z.square() * 0.1).relu(), (y + bias).relu(), z * 0.5]
        }
        let x = numbers(test.image, 3)
        let expected = Step(backend: .reference, body)(x).outputs
        let found = (1...3).map {
            Step(workers: Workers(count: $0), isFrozen: true, body)(x).outputs
        }
        #expect(found[1] == found[0] && found[2] == found[0])
        for (a, b) in zip(found[0], expected) {
            #expect(a.shape == b.shape)
            let truth = b.elements(as: Double.self)
            let scale = truth.map(abs).max()!
            let worst = zip(a.elements(as: Double.self), truth).map { abs($0 - $1) }.max()!
            #expect(worst <= 3e-6 * scale, "\(worst) of \(scale)")
        }
    }
}
