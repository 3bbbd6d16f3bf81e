import CKernels
import Testing

/// Numbers at an address that streamed stores can be made to.
final class AlignedCopy<T> {
    let pointer: UnsafeMutablePointer<T>
    private let count: Int

    init(_ elements: [T]) {
        count = elements.count
        pointer = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<T>.stride, alignment: 64
        ).bindMemory(to: T.self, capacity: count)
        pointer.initialize(from: elements, count: count)
    }

    deinit { pointer.deallocate() }

    var elements: [T] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

let activations = [EK_IDENTITY, EK_RELU, EK_LEAKY_RELU, EK_RELU6]

@Suite("Kernels per channel against the plain formulas")
struct CentredTests {
    @Test("Moments of two batches, with and without weights", arguments: Shape.all)
    func moments(shape: Shape) {
        let a = CentredCase(shape, seed: 2)
        let b = CentredCase(shape, seed: 3)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        let both = Shape(outer: 2 * n, channels: c, inner: k)
        onEveryLevel {
            var state = [Double](repeating: 0, count: 1 + 2 * c)
            ek_moments_f32(a.x, nil, n, c, k, &state)
            ek_moments_f32(b.x, nil, n, c, k, &state)
            #expect(worst(state, referenceMoments(a.x + b.x, both)) < 1e-6)

            state = [Double](repeating: 0, count: 1 + 2 * c)
            ek_moments_f32(a.x, a.weights, n, c, k, &state)
            ek_moments_f32(b.x, b.weights, n, c, k, &state)
            let weights = a.weights + b.weights
            #expect(worst(state, referenceMoments(a.x + b.x, both, weights: weights)) < 1e-6)
        }
    }

    @Test("Scaling, with every activation, streamed and in place", arguments: Shape.all)
    func scaling(shape: Shape) {
        let t = CentredCase(shape)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        for activation in activations {
            for withResidual in [false, true] {
                let expected = t.reference(activation, residual: withResidual).forward(t.x)
                onEveryLevel {
                    var y = [Float](repeating: .nan, count: shape.count)
                    t.residual.withUnsafeBufferPointer { r in
                        ek_centred_scale_f32(
                            t.x, n, c, k, t.mean, t.scale, t.shift,
                            withResidual ? r.baseAddress : nil, activation, 0.125, &y, 0)
                    }
                    #expect(worst(y, expected) < 5e-7)
                    var inPlace = t.x
                    t.residual.withUnsafeBufferPointer { r in
                        inPlace.withUnsafeMutableBufferPointer { x in
                            ek_centred_scale_f32(
                                x.baseAddress, n, c, k, t.mean, t.scale, t.shift,
                                withResidual ? r.baseAddress : nil, activation, 0.125,
                                x.baseAddress, 1)
                        }
                    }
                    #expect(inPlace == y)
                }
            }
        }
    }

    @Test("Sums, with every activation and residual", arguments: Shape.all)
    func sums(shape: Shape) {
        let t = CentredCase(shape)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        for (index, activation) in (activations + activations).enumerated() {
            let withResidual = (index % 2 == 0) == (index < activations.count)
            let reference = t.reference(activation, residual: withResidual)
            let expected = reference.sums(t.dy, t.x)
            onEveryLevel {
                var sums = [Double](repeating: 1, count: 2 * c)
                t.residual.withUnsafeBufferPointer { r in
                    ek_centred_sums_f32(
                        t.dy, t.x, n, c, k, t.mean, t.scale, t.shift,
                        withResidual ? r.baseAddress : nil, activation, 0.125, nil, 0, &sums)
                }
                let largest = expected.map(abs).max() ?? 0
                #expect(worst(sums.map { $0 - 1 }, expected, scale: 1 + largest) < 1e-13)
            }
        }
    }

    @Test("Sums that give the output too: the bits of both kernels", arguments: Shape.all)
    func sumsWithOutput(shape: Shape) {
        let t = CentredCase(shape)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        func narrow(_ x: [Float]) -> [UInt16] {
            var y = [UInt16](repeating: 0, count: x.count)
            ek_convert_f32_bf16(x, &y, x.count)
            return y
        }
        let (dy16, x16, residual16) = (narrow(t.dy), narrow(t.x), narrow(t.residual))
        for (index, activation) in (activations + activations).enumerated() {
            // Past the caches and not.
            let stream: Int32 = index < activations.count ? 0 : 1
            onEveryLevel {
                t.residual.withUnsafeBufferPointer { values in
                    let residual = index % 2 == 0 ? values.baseAddress : nil
                    let y = AlignedCopy(t.x)
                    var expected = t.x
                    var sums = [Double](repeating: 1, count: 2 * c)
                    var expectedSums = sums
                    ek_centred_sums_f32(
                        t.dy, t.x, n, c, k, t.mean, t.scale, t.shift, residual, activation,
                        0.125, y.pointer, stream, &sums)
                    ek_centred_scale_f32(
                        t.x, n, c, k, t.mean, t.scale, t.shift, residual, activation, 0.125,
                        &expected, 0)
                    ek_centred_sums_f32(
                        t.dy, t.x, n, c, k, t.mean, t.scale, t.shift, residual, activation,
                        0.125, nil, 0, &expectedSums)
                    #expect(y.elements == expected && sums == expectedSums)
                }
                residual16.withUnsafeBufferPointer { values in
                    let residual = index % 2 == 0 ? values.baseAddress : nil
                    let y = AlignedCopy(x16)
                    var expected = x16
                    var sums = [Double](repeating: 1, count: 2 * c)
                    var expectedSums = sums
                    ek_centred_sums_bf16(
                        dy16, x16, n, c, k, t.mean, t.scale, t.shift, residual, activation,
                        0.125, y.pointer, stream, &sums)
                    ek_centred_scale_bf16(
                        x16, n, c, k, t.mean, t.scale, t.shift, residual, activation, 0.125,
                        &expected, 0)
                    ek_centred_sums_bf16(
                        dy16, x16, n, c, k, t.mean, t.scale, t.shift, residual, activation,
                        0.125, nil, 0, &expectedSums)
                    #expect(y.elements == expected && sums == expectedSums)
                }
            }
        }
    }

    @Test("Input gradients, with every activation", arguments: Shape.all)
    func inputGradients(shape: Shape) {
        let t = CentredCase(shape)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        let (a, b, shift) = (t.scale, t.shift, t.mean.map { $0 / 8 })
        for (index, activation) in (activations + activations).enumerated() {
            let withResidual = index % 2 == 0
            let gradient = t.reference(activation, residual: withResidual).gradient(t.dy, t.x)
            let expected = t.x.indices.map { i in
                let ch = shape.channel(i)
                return a[ch] * gradient[i] + b[ch] * (Double(t.x[i]) - t.mean[ch]) + shift[ch]
            }
            onEveryLevel {
                var dx = [Float](repeating: .nan, count: shape.count)
                var dresidual = dx
                t.residual.withUnsafeBufferPointer { r in
                    dresidual.withUnsafeMutableBufferPointer { dr in
                        ek_centred_input_gradient_f32(
                            t.dy, t.x, n, c, k, t.mean, a, b, shift, t.scale, t.shift,
                            withResidual ? r.baseAddress : nil, activation, 0.125, &dx,
                            index < 4 ? dr.baseAddress : nil, Int32(index % 3))
                    }
                }
                #expect(worst(dx, expected) < 1e-6)
                if index < 4 { #expect(worst(dresidual, gradient) < 1e-7) }
            }
        }
    }

    @Test("Column sums", arguments: Shape.all)
    func columnSums(shape: Shape) {
        let t = CentredCase(shape)
        var expected = [Double](repeating: 0, count: shape.channels)
        for i in t.dy.indices { expected[shape.channel(i)] += Double(t.dy[i]) }
        onEveryLevel {
            var sums = [Double](repeating: 0, count: shape.channels)
            ek_column_sums_f32(t.dy, shape.outer, shape.channels, shape.inner, &sums)
            #expect(worst(sums, expected) < 1e-13)
        }
    }

    @Test("bfloat16 agrees with float on rounded inputs, rounded", arguments: Shape.all)
    func bfloat16(shape: Shape) {
        let t = CentredCase(shape)
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        func narrow(_ x: [Float]) -> [UInt16] {
            var y = [UInt16](repeating: 0, count: x.count)
            ek_convert_f32_bf16(x, &y, x.count)
            return y
        }
        func widen(_ x: [UInt16]) -> [Float] {
            var y = [Float](repeating: 0, count: x.count)
            ek_convert_bf16_f32(x, &y, x.count)
            return y
        }
        let (x, dy, residual) = (narrow(t.x), narrow(t.dy), narrow(t.residual))
        let (xf, dyf, residualf) = (widen(x), widen(dy), widen(residual))
        onEveryLevel {
            var state = [Double](repeating: 0, count: 1 + 2 * c)
            var statef = state
            ek_moments_bf16(x, nil, n, c, k, &state)
            ek_moments_f32(xf, nil, n, c, k, &statef)
            #expect(worst(state, statef) < 4e-6)

            var y = [UInt16](repeating: 0, count: shape.count)
            var yf = [Float](repeating: 0, count: shape.count)
            ek_centred_scale_bf16(
                x, n, c, k, t.mean, t.scale, t.shift, residual, EK_RELU, 0, &y, 1)
            ek_centred_scale_f32(
                xf, n, c, k, t.mean, t.scale, t.shift, residualf, EK_RELU, 0, &yf, 0)
            #expect(y == narrow(yf))

            var sums = [Double](repeating: 0, count: 2 * c)
            var sumsf = sums
            ek_centred_sums_bf16(
                dy, x, n, c, k, t.mean, t.scale, t.shift, nil, EK_RELU, 0, nil, 0, &sums)
            ek_centred_sums_f32(
                dyf, xf, n, c, k, t.mean, t.scale, t.shift, nil, EK_RELU, 0, nil, 0, &sumsf)
            #expect(worst(sums, sumsf) < 2e-6)

            ek_centred_input_gradient_bf16(
                dy, x, n, c, k, t.mean, t.scale, t.shift, t.mean, t.scale, t.shift, nil, EK_RELU,
                0, &y, nil, 0)
            ek_centred_input_gradient_f32(
                dyf, xf, n, c, k, t.mean, t.scale, t.shift, t.mean, t.scale, t.shift, nil,
                EK_RELU, 0, &yf, nil, 0)
            let agree = zip(widen(y), yf).allSatisfy { abs($0 - $1) <= abs($1) / 256 + 1e-6 }
            #expect(agree)
        }
    }
}
