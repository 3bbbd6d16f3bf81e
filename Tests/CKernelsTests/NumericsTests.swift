import CKernels
import Testing

@Suite("Numerics of statistics")
struct NumericsTests {
    static let shapes = [
        Shape(outer: 512, channels: 3, inner: 1), Shape(outer: 300, channels: 64, inner: 1),
        Shape(outer: 8, channels: 5, inner: 49), Shape(outer: 2, channels: 3, inner: 1300),
        Shape(outer: 70, channels: 33, inner: 1), Shape(outer: 64, channels: 7, inner: 5),
    ]

    /// Moments, then y = (x - mean) / sqrt(variance + epsilon), with the kernels.
    func normalize(
        _ x: [Float], _ shape: Shape, epsilon: Double, shift: [Double]? = nil
    ) -> (y: [Float], state: [Double]) {
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        var state = [Double](repeating: 0, count: 1 + 2 * c)
        ek_moments_f32(x, nil, n, c, k, &state)
        let mean = Array(state[1...c])
        let scale = state[(1 + c)...].map { 1 / ($0 / state[0] + epsilon).squareRoot() }
        var y = [Float](repeating: 0, count: x.count)
        let zero = [Double](repeating: 0, count: c)
        ek_centred_scale_f32(x, n, c, k, mean, scale, shift ?? zero, nil, EK_IDENTITY, 0, &y, 0)
        return (y, state)
    }

    func expected(_ x: [Float], _ shape: Shape, epsilon: Double) -> [Double] {
        let state = referenceMoments(x, shape)
        return x.indices.map { i in
            let c = shape.channel(i)
            let variance = state[1 + shape.channels + c] / state[0]
            return (Double(x[i]) - state[1 + c]) / (variance + epsilon).squareRoot()
        }
    }

    @Test(
        "Offsets up to 1e6 and scales from 1e-6 to 1e30 cost no accuracy", arguments: shapes,
        [(0, 1), (1e3, 1), (1e5, 1), (1e6, 1), (0, 1e-6), (0, 1e30), (1e37, 1e38), (-1e30, 1e24)]
            as [(Float, Float)])
    func accuracy(shape: Shape, data: (offset: Float, scale: Float)) {
        var random = Generator(7)
        let x = random.floats(shape.count, scale: data.scale, offset: data.offset)
        let epsilon = data.scale == 1e-6 ? 1e-14 : 1e-5
        let truth = expected(x, shape, epsilon: epsilon)
        onEveryLevel {
            let (y, state) = normalize(x, shape, epsilon: epsilon)
            let finite = state.allSatisfy { $0.isFinite }
            #expect(finite)
            #expect(worst(y, truth) <= 4e-6)
        }
    }

    @Test("A constant channel has exactly its mean and no variance", arguments: shapes)
    func constants(shape: Shape) {
        let constants: [Float] = [
            0.1, 1e30, -3.3e38, Float(bitPattern: 71_363), 0, 123_456.7, 1e-30,
        ]
        let x = (0..<shape.count).map { constants[shape.channel($0) % constants.count] }
        onEveryLevel {
            let beta = (0..<shape.channels).map { Double(Float($0) * 0.1) }
            let (y, state) = normalize(x, shape, epsilon: 1e-5, shift: beta)
            for c in 0..<shape.channels {
                #expect(state[1 + c] == Double(constants[c % constants.count]))
                #expect(state[1 + shape.channels + c] == 0)
            }
            let expected = x.indices.map { Float(beta[shape.channel($0)]) }
            #expect(y == expected)
        }
    }

    @Test("What has weight 0 may be NaN", arguments: shapes)
    func maskedNaN(shape: Shape) {
        var random = Generator(11)
        let clean = random.floats(shape.count)
        let weights = (0..<shape.positions).map { Float($0 % 3 == 0 ? 0 : 1) }
        let dirty = clean.indices.map { weights[shape.position($0)] == 0 ? .nan : clean[$0] }
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        onEveryLevel {
            var (a, b) = ([Double](repeating: 0, count: 1 + 2 * c), [Double]())
            b = a
            ek_moments_f32(clean, weights, n, c, k, &a)
            ek_moments_f32(dirty, weights, n, c, k, &b)
            #expect(a == b)
            let finiteMoments = a.allSatisfy { $0.isFinite }
            #expect(finiteMoments)
        }
    }

    @Test("Weights of 0 leave the state alone; an empty batch too")
    func nothing() {
        var state: [Double] = [3, 1, 2, 5, 6]
        let before = state
        let x = [Float](repeating: .nan, count: 8)
        ek_moments_f32(x, [Float](repeating: 0, count: 4), 4, 2, 1, &state)
        #expect(state == before)
        ek_moments_f32(x, nil, 0, 2, 1, &state)
        #expect(state == before)
    }

    @Test("NaN and infinity reach the statistics and pass through the activations")
    func notFinite() {
        let x: [Float] = [.nan, 1, 2, .infinity, 3, 4]
        onEveryLevel {
            var state = [Double](repeating: 0, count: 7)
            ek_moments_f32(x, nil, 2, 3, 1, &state)
            #expect(!state[1].isFinite && state[2] == 2 && state[3] == 3)
            for activation in activations {
                var y = [Float](repeating: 0, count: 6)
                let zero: [Double] = [0, 0, 0]
                ek_centred_scale_f32(
                    x, 2, 3, 1, zero, [-1, -1, -1], zero, nil, activation, 0.5, &y, 0)
                #expect(y[0].isNaN)
                let low: [Int32: Float] = [
                    EK_IDENTITY: -.infinity, EK_RELU: 0, EK_RELU6: 0, EK_LEAKY_RELU: -.infinity,
                ]
                #expect(y[3] == low[activation])
            }
        }
    }

    @Test("The same bits wherever the arrays lie", arguments: shapes)
    func alignment(shape: Shape) {
        var random = Generator(5)
        let x = random.floats(shape.count)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        var first: [Double]?
        for shift in 0..<5 {
            let moved = [Float](repeating: 9, count: shift) + x
            var state = [Double](repeating: 0, count: 1 + 2 * c)
            moved.withUnsafeBufferPointer {
                ek_moments_f32($0.baseAddress! + shift, nil, n, c, k, &state)
            }
            #expect(state == first ?? state)
            first = state
        }
    }
}
