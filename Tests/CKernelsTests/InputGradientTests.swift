import CKernels
import Testing

/// How terms of an input gradient cancel.
private struct Cancellation: CustomTestStringConvertible, Sendable {
    /// What is left, of terms near 1.
    var rest: Float
    /// Whether dy is nearly x, else it is nearly 1.
    var isAlongX: Bool
    /// What all of it is multiplied with.
    var size: Double

    var testDescription: String { "\(rest) along \(isAlongX ? "x" : "1"), times \(size)" }

    static let all: [Cancellation] =
        [1, 0.5, 0.2, 0.05, 1e-2, 1e-4, 1e-6, 0].flatMap { rest in
            [true, false].map { Cancellation(rest: rest, isAlongX: $0, size: 1) }
        }
        + [1e-38, 1e-30, 1e30].flatMap { size in
            [Float(1), 1e-3].map { Cancellation(rest: $0, isAlongX: true, size: size) }
        }
}

@Suite("Input gradients that cancel")
struct InputGradientTests {
    /// A call's numbers, where the factor of x, or the constant, takes away what `dy` has of them.
    private struct Numbers {
        let x, dy: [Float]
        let mean, a, b, c: [Double]

        init(_ shape: Shape, _ cancellation: Cancellation, seed: UInt64, isPerRow: Bool) {
            var random = Generator(seed)
            let offset = 8 * random.uniform()
            let x = random.floats(shape.count, offset: offset)
            self.x = x
            let rest = random.floats(shape.count, scale: cancellation.rest)
            let count = isPerRow ? shape.outer : shape.channels
            let mean = random.floats(count, scale: 1e-3, offset: offset).map(Double.init)
            self.mean = mean
            a = random.floats(count, scale: 0.5, offset: 1).map { Double($0) * cancellation.size }
            let place = { isPerRow ? $0 / (shape.channels * shape.inner) : shape.channel($0) }
            dy = zip(rest, zip(x, x.indices.map { mean[place($0)] })).map { rest, at in
                rest + (cancellation.isAlongX ? Float(Double(at.0) - at.1) : 1)
            }
            b = a.map { cancellation.isAlongX ? -$0 : 0 }
            c = a.map { cancellation.isAlongX ? 0 : -$0 }
        }

        func expected(_ place: (Int) -> Int) -> [Double] {
            x.indices.map {
                a[place($0)] * Double(dy[$0]) + b[place($0)] * (Double(x[$0]) - mean[place($0)])
                    + c[place($0)]
            }
        }
    }

    /// Whether errors are at most 1.5e-6 of the largest, or the smallest step of float.
    private func isRight(_ dx: [Float], _ expected: [Double]) -> Bool {
        let largest = expected.map(abs).max() ?? 0
        let bound = max(1.5e-6 * largest, 1.5e-45)
        return zip(dx, expected).allSatisfy { abs(Double($0) - $1) <= bound }
    }

    @Test("Per channel", arguments: Cancellation.all)
    fileprivate func perChannel(cancellation: Cancellation) {
        for (seed, shape) in Shape.all.enumerated() {
            let t = Numbers(shape, cancellation, seed: UInt64(seed), isPerRow: false)
            let expected = t.expected(shape.channel)
            onEveryLevel {
                var dx = [Float](repeating: .nan, count: shape.count)
                ek_centred_input_gradient_f32(
                    t.dy, t.x, shape.outer, shape.channels, shape.inner, t.mean, t.a, t.b, t.c,
                    nil, nil, nil, EK_IDENTITY, 0, &dx, nil, 0)
                #expect(isRight(dx, expected), "\(shape)")
            }
        }
    }

    @Test("Per row", arguments: Cancellation.all)
    fileprivate func perRow(cancellation: Cancellation) {
        for (seed, shape) in Shape.all.enumerated() {
            let t = Numbers(shape, cancellation, seed: UInt64(seed), isPerRow: true)
            let length = shape.channels * shape.inner
            let expected = t.expected { $0 / length }
            onEveryLevel {
                var dx = [Float](repeating: .nan, count: shape.count)
                ek_row_centred_input_gradient_f32(
                    t.dy, t.x, shape.outer, length, 1, t.mean, nil, t.a, t.b, t.c, &dx, 0)
                for row in 0..<shape.outer {
                    let range = row * length..<(row + 1) * length
                    #expect(isRight(Array(dx[range]), Array(expected[range])), "\(shape)")
                }
            }
        }
    }

    @Test("What is not a number or infinite comes out as in double")
    func special() {
        let shape = Shape(outer: 40, channels: 20, inner: 1)
        var t = Generator(3)
        let x = t.floats(shape.count)
        for (dyValue, factor) in [
            (Float.nan, 1.0), (.infinity, 1), (1, .nan), (1, .infinity), (1, 1e300),
        ] {
            var dy = x
            dy[45] = dyValue
            let (ones, factors) = (
                [Double](repeating: 1, count: 20), [Double](repeating: factor, count: 20)
            )
            let expected = x.indices.map { Float(factor * Double(dy[$0]) + Double(x[$0])) }
            onEveryLevel {
                var dx = [Float](repeating: 9, count: shape.count)
                ek_centred_input_gradient_f32(
                    dy, x, 40, 20, 1, ones, factors, ones, ones, nil, nil, nil, EK_IDENTITY, 0, &dx,
                    nil, 0)
                let agree = zip(dx, expected).allSatisfy {
                    $0.isNaN && $1.isNaN || $0 == $1 || abs($0 - $1) <= 1e-6
                }
                #expect(agree)
            }
        }
    }
}
