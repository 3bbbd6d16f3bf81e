import CKernels
import Testing

@Suite("EvoNorm-B0")
struct EvoNormKernelTests {
    /// Around the ends of vectors, runs and blocks of rows: outer, channels, inner.
    static let sizes = [
        (1, 1, 1), (5, 3, 1), (33, 16, 1), (70, 37, 1), (1, 4, 7), (2, 3, 64), (1, 2, 2100),
        (3, 5, 31), (0, 4, 1),
    ]

    @Test("Against the formulas in Double", arguments: sizes, [0, 1, 2, 3])
    func formulas(size: (outer: Int, channels: Int, inner: Int), kind: Int) {
        let (outer, channels, inner) = size
        let count = outer * channels * inner
        var random = Generator(UInt64(count + kind))
        // Plain numbers, constants, large and huge ones; the corner of the divisor among them.
        let scale: Float = kind == 3 ? 1e30 : 1
        let x = random.floats(count, scale: kind == 1 ? 0 : scale, offset: kind == 2 ? 1e4 : 0)
        let dy = random.floats(count)
        let batch = random.floats(channels, scale: 0.1, offset: 0.8).map { $0 * scale }
        let slope = random.floats(channels, offset: 1)
        var sample = random.floats(channels, scale: 0.1, offset: 0.5).map { $0 * scale }
        if kind == 1 { sample = batch }
        let (gamma, beta) = (random.floats(channels, offset: 1), random.floats(channels))
        let (mean, low) = (random.floats(channels), random.floats(channels, scale: 1e-6))
        let (factor, shift) = (random.floats(channels), random.floats(channels))

        var (y, dx, moved) = ([Double](), [Double](), [Double]())
        var sums = [Double](repeating: 1, count: 5 * channels)
        for i in 0..<count {
            let c = i / inner % channels
            let (value, g) = (Double(x[i]), Double(dy[i]))
            let slanted = Double(slope[c]) * value + Double(sample[c])
            let d = max(slanted, Double(batch[c]))
            let m = slanted > Double(batch[c]) ? 1 : slanted == Double(batch[c]) ? 0.5 : 0
            let share = g * Double(gamma[c]) / d
            let e = -share * value / d
            y.append(value / d * Double(gamma[c]) + Double(beta[c]))
            dx.append(share + e * m * Double(slope[c]))
            moved.append(
                dx[i] + (value - Double(mean[c]) - Double(low[c])) * Double(factor[c])
                    + Double(shift[c]))
            let terms = [g, g * value / d, e * (1 - m), e * m, e * m * value]
            for (index, term) in terms.enumerated() { sums[index * channels + c] += term }
        }
        onEveryLevel {
            withNumbers([batch, slope, sample, gamma, beta, mean, low, factor, shift]) { numbers in
                var found = [Float](repeating: .nan, count: count)
                ek_evonorm_scale_f32(x, outer, channels, inner, &numbers, &found)
                #expect(worst(found, y) < 4e-6)
                ek_evonorm_input_gradient_f32(dy, x, outer, channels, inner, &numbers, &found)
                let largest = moved.map(abs).max() ?? 1
                #expect(worst(found, moved, scale: largest) < 4e-6)
                numbers.high = nil
                ek_evonorm_input_gradient_f32(dy, x, outer, channels, inner, &numbers, &found)
                #expect(worst(found, dx, scale: dx.map(abs).max() ?? 1) < 4e-6)
                var total = [Double](repeating: 1, count: 5 * channels)
                ek_evonorm_sums_f32(dy, x, outer, channels, inner, &numbers, &total)
                #expect(worst(total, sums, scale: sums.map(abs).max() ?? 1) < 4e-6)
            }
        }
    }

    @Test("0 / 0 is 0 with the derivative 0, and NaN stays in its channel")
    func edges() {
        onEveryLevel {
            for inner in [1, 3] {
                let count = 2 * 3 * inner
                var x = [Float](repeating: 0, count: count)
                for i in 0..<inner { x[inner + i] = .nan }
                let dy = [Float](repeating: 1, count: count)
                let (zeros, ones): ([Float], [Float]) = ([0, 0, 0], [1, 1, 1])
                withNumbers([zeros, ones, zeros, ones, ones, zeros, zeros, zeros, zeros]) {
                    numbers in
                    numbers.high = nil
                    var y = [Float](repeating: 9, count: count)
                    ek_evonorm_scale_f32(x, 2, 3, inner, &numbers, &y)
                    for i in 0..<count { #expect(x[i].isNaN ? y[i].isNaN : y[i] == 1) }
                    ek_evonorm_input_gradient_f32(dy, x, 2, 3, inner, &numbers, &y)
                    for i in 0..<count { #expect(x[i].isNaN ? y[i].isNaN : y[i] == 0) }
                    var sums = [Double](repeating: 0, count: 15)
                    ek_evonorm_sums_f32(dy, x, 2, 3, inner, &numbers, &sums)
                    #expect(sums[0] == Double(2 * inner) && sums[1] == sums[0])
                    #expect(sums[3] == 0 && sums[4].isNaN && sums[5] == 0)
                }
            }
        }
    }

    private func withNumbers(_ vectors: [[Float]], _ body: (inout ek_evonorm) -> Void) {
        let starts = vectors.map { vector -> UnsafeMutablePointer<Float> in
            let start = UnsafeMutablePointer<Float>.allocate(capacity: vector.count)
            start.initialize(from: vector, count: vector.count)
            return start
        }
        defer { for start in starts { start.deallocate() } }
        let at = starts.map { UnsafePointer($0) }
        var numbers = ek_evonorm(
            batch: at[0], slope: at[1], sample: at[2], gamma: at[3], beta: at[4], high: at[5],
            low: at[6], factor: at[7], shift: at[8])
        body(&numbers)
    }
}
