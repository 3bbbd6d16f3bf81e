import CKernels
import Foundation
import Testing

@Suite("Rows: layer norm, RMS norm")
struct RowTests {
    static let cases: [(Int, Int, Int)] = [
        (1, 1, 1), (3, 5, 1), (8, 16, 1), (9, 33, 1), (17, 100, 1), (2, 2500, 1), (5, 12, 4),
        (9, 98, 49), (4, 6, 6),
    ]

    @Test("Forward and backward against the formulas", arguments: cases, [true, false])
    func layerNorm(size: (rows: Int, length: Int, inner: Int), centred: Bool) {
        let (rows, length, inner) = size
        let n = rows * length
        let channels = length / inner
        var random = Generator(UInt64(n))
        let x = random.floats(n, scale: 2, offset: 100)
        let dy = random.floats(n)
        let (gamma, beta) = (random.floats(channels, offset: 1), random.floats(channels))

        var (mean, inv) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: rows))
        var (y, dx) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
        var (dgamma, dbeta) = ([Double](repeating: 1, count: channels), [Double]())
        dbeta = dgamma
        var (m2s, squares) = (mean, mean)
        for r in 0..<rows {
            let row = (r * length)..<((r + 1) * length)
            mean[r] = centred ? row.reduce(0) { $0 + Double(x[$1]) } / Double(length) : 0
            let m2 = row.reduce(0) { $0 + (Double(x[$1]) - mean[r]) * (Double(x[$1]) - mean[r]) }
            m2s[r] = m2
            squares[r] = row.reduce(0) { $0 + Double(x[$1]) * Double(x[$1]) }
            inv[r] = 1 / (m2 / Double(length) + 1e-5).squareRoot()
            var (sum, dot) = (0.0, 0.0)
            for i in row {
                let c = i % length / inner
                let h = (Double(x[i]) - mean[r]) * inv[r]
                y[i] = h * Double(gamma[c]) + Double(beta[c])
                sum += Double(dy[i]) * Double(gamma[c])
                dot += Double(dy[i]) * Double(gamma[c]) * h
                dgamma[c] += Double(dy[i]) * h
                dbeta[c] += Double(dy[i])
            }
            for i in row {
                let h = (Double(x[i]) - mean[r]) * inv[r]
                let g = Double(dy[i]) * Double(gamma[i % length / inner])
                dx[i] =
                    inv[r] * (g - (centred ? sum : 0) / Double(length) - h * dot / Double(length))
            }
        }
        onEveryLevel {
            var means = [Double](repeating: 9, count: rows)
            let scale = (dx.map(abs).max() ?? 0) + 0.02 * (inv.max() ?? 0)
            if centred {
                var m2 = means
                ek_row_moments_f32(x, rows, length, &means, &m2, 0)
                #expect(worst(means, mean) < 1e-13)
                #expect(worst(m2, m2s) < 1e-10)
            }
            var sumOfSquares = means
            ek_row_square_sums_f32(x, rows, length, &sumOfSquares, 0)
            #expect(worst(sumOfSquares, squares) < 1e-12)
            var piece = [Float](repeating: 9, count: n)
            ek_row_centred_scale_f32(x, rows, length, inner, mean, inv, gamma, beta, &piece, 0)
            #expect(worst(piece, y) < 4e-6)
            var sum = [Double](repeating: 9, count: rows)
            var centredSum = sum
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, nil, gamma, &sum, &centredSum, nil, nil, 1)
            let b = (0..<rows).map { -pow(inv[$0], 3) * centredSum[$0] / Double(length) }
            let c = (0..<rows).map { centred ? -inv[$0] * sum[$0] / Double(length) : 0 }
            ek_row_centred_input_gradient_f32(
                dy, x, rows, length, inner, mean, gamma, inv, b, c, &piece, 1)
            #expect(worst(piece, dx, scale: scale) < 2e-5)
            var dg = [Double](repeating: 1, count: channels)
            var db = dg
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, inv, nil, nil, nil, &dg, &db, 0)
            #expect(worst(dg, dgamma) < 1e-12)
            #expect(worst(db, dbeta) < 1e-12)
            // All of them from one pass, and gamma's alone.
            var (sumAgain, centredAgain) = (sum.map { _ in 9.0 }, sum)
            dg = [Double](repeating: 1, count: channels)
            db = dg
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, inv, gamma, &sumAgain, &centredAgain, &dg, &db, 1)
            #expect(worst(sumAgain, sum) < 1e-12 && worst(centredAgain, centredSum) < 1e-12)
            #expect(worst(dg, dgamma) < 1e-12 && worst(db, dbeta) < 1e-12)
            dg = [Double](repeating: 1, count: channels)
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, inv, nil, nil, nil, &dg, nil, 0)
            #expect(worst(dg, dgamma) < 1e-12)
            // Without the sums of dy the others have the same bits.
            var alone = sum.map { _ in 9.0 }
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, nil, gamma, nil, &alone, nil, nil, 0)
            #expect(alone == centredSum)
            var dgAlone = [Double](repeating: 1, count: channels)
            dg = dgAlone
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, inv, gamma, &sumAgain, &centredAgain, &dg, &db, 0)
            ek_row_gradient_sums_f32(
                dy, x, rows, length, inner, mean, inv, gamma, nil, &alone, &dgAlone, nil, 0)
            #expect(alone == centredAgain && dgAlone == dg)
        }
    }

    @Test("Without gamma and beta; a constant row gives exactly beta")
    func constants() {
        let x = [Float](repeating: 0.1, count: 70)
        let beta = (0..<35).map { Float($0) * 0.3 }
        onEveryLevel {
            var y = [Float](repeating: 9, count: 70)
            var (mean, m2): ([Double], [Double]) = ([0, 0], [9, 9])
            ek_row_moments_f32(x, 2, 35, &mean, &m2, 1)
            #expect(m2 == [0, 0])
            ek_row_centred_scale_f32(x, 2, 35, 1, mean, [300, 300], nil, beta, &y, 1)
            #expect(y == beta + beta)
            ek_row_centred_scale_f32(x, 2, 35, 1, mean, [300, 300], nil, nil, &y, 1)
            #expect(y == [Float](repeating: 0, count: 70))
        }
    }

    @Test("Where tensors lie makes no difference", arguments: [1, 3, 64], [64, 256, 272])
    func places(rows: Int, length: Int) {
        var random = Generator(UInt64(rows + length))
        let (x, dy) = (random.floats(rows * length, offset: 3), random.floats(rows * length))
        let parameters = random.floats(length, offset: 1)
        let numbers = (0..<rows).map { 1 + Double($0) / 8 }
        // What goes past the caches has to be aligned.
        let y = UnsafeMutableRawPointer.allocate(byteCount: 4 * rows * length, alignment: 64)
            .bindMemory(to: Float.self, capacity: rows * length)
        defer { y.deallocate() }
        func result(_ body: () -> Void) -> [Float] {
            y.initialize(repeating: .nan, count: rows * length)
            body()
            return Array(UnsafeBufferPointer(start: y, count: rows * length))
        }
        onEveryLevel {
            for gamma in [parameters, nil] {
                let scaled = [0, EK_FAR, EK_PAST_CACHES].map { place in
                    result {
                        ek_row_centred_scale_f32(
                            x, rows, length, 1, numbers, numbers, gamma, gamma, y, place)
                    }
                }
                #expect(scaled[1] == scaled[0] && scaled[2] == scaled[0])
                let gradients = [0, EK_FAR, EK_PAST_CACHES].map { place in
                    result {
                        ek_row_centred_input_gradient_f32(
                            dy, x, rows, length, 1, numbers, gamma, numbers, numbers, numbers, y,
                            place)
                    }
                }
                #expect(gradients[1] == gradients[0] && gradients[2] == gradients[0])
            }
        }
    }

    @Test("In bfloat16 they are the float functions of the same numbers, rounded", arguments: cases)
    func bfloat16(size: (rows: Int, length: Int, inner: Int)) {
        let (rows, length, inner) = size
        let (n, channels) = (rows * length, length / inner)
        var random = Generator(UInt64(n))
        let x = random.floats(n, scale: 2, offset: 10).map { $0.bitPattern & 0xFFFF_0000 }
        let dy = random.floats(n).map { $0.bitPattern & 0xFFFF_0000 }
        let (wideX, wideDY) = (x.map(Float.init(bitPattern:)), dy.map(Float.init(bitPattern:)))
        let (narrowX, narrowDY) = (x.map { UInt16($0 >> 16) }, dy.map { UInt16($0 >> 16) })
        let (gamma, beta) = (random.floats(channels, offset: 1), random.floats(channels))
        func matches(_ y: [UInt16], _ truth: [Float]) -> Bool {
            zip(y, truth).allSatisfy {
                abs(Float(bitPattern: UInt32($0) << 16) - $1) <= abs($1) / 256
            }
        }
        onEveryLevel {
            var (mean, m2) = ([Double](repeating: 9, count: rows), [Double]())
            m2 = mean
            var (narrowMean, narrowM2) = (mean, m2)
            ek_row_moments_f32(wideX, rows, length, &mean, &m2, 1)
            ek_row_moments_bf16(narrowX, rows, length, &narrowMean, &narrowM2, 0)
            #expect(worst(narrowMean, mean) < 1e-6 && worst(narrowM2, m2) < 1e-6)
            ek_row_square_sums_f32(wideX, rows, length, &m2, 1)
            ek_row_square_sums_bf16(narrowX, rows, length, &narrowM2, 0)
            #expect(m2 == narrowM2)
            let scale = mean.map { _ in 0.7 }
            var (y, narrowY) = ([Float](repeating: 9, count: n), [UInt16](repeating: 9, count: n))
            ek_row_centred_scale_f32(wideX, rows, length, inner, mean, scale, gamma, beta, &y, 1)
            ek_row_centred_scale_bf16(
                narrowX, rows, length, inner, mean, scale, gamma, beta, &narrowY, 0)
            #expect(matches(narrowY, y))
            var (sum, centredSum) = (
                [Double](repeating: 9, count: rows), [Double](repeating: 9, count: rows)
            )
            var (narrowSum, narrowCentredSum) = (sum, centredSum)
            ek_row_gradient_sums_f32(
                wideDY, wideX, rows, length, inner, mean, nil, gamma, &sum, &centredSum, nil, nil, 1
            )
            ek_row_gradient_sums_bf16(
                narrowDY, narrowX, rows, length, inner, mean, nil, gamma, &narrowSum,
                &narrowCentredSum, nil, nil, 0)
            #expect(worst(narrowSum, sum) < 2e-6 && worst(narrowCentredSum, centredSum) < 2e-6)
            ek_row_centred_input_gradient_f32(
                wideDY, wideX, rows, length, inner, mean, gamma, scale, mean, scale, &y, 0)
            ek_row_centred_input_gradient_bf16(
                narrowDY, narrowX, rows, length, inner, mean, gamma, scale, mean, scale, &narrowY, 1
            )
            #expect(matches(narrowY, y))
            var (dgamma, dbeta) = ([Double](repeating: 1, count: channels), [Double]())
            dbeta = dgamma
            var (narrowGamma, narrowBeta) = (dgamma, dbeta)
            ek_row_gradient_sums_f32(
                wideDY, wideX, rows, length, inner, mean, scale, nil, nil, nil, &dgamma, &dbeta, 0)
            ek_row_gradient_sums_bf16(
                narrowDY, narrowX, rows, length, inner, mean, scale, nil, nil, nil, &narrowGamma,
                &narrowBeta, 0)
            #expect(worst(narrowGamma, dgamma) < 2e-6 && worst(narrowBeta, dbeta) < 2e-6)
        }
    }
}

@Suite("Softmax and reductions of rows")
struct SoftmaxTests {
    @Test(
        "Against the formulas", arguments: [(1, 1), (5, 2), (7, 10), (3, 16), (4, 33), (2, 1000)])
    func softmax(size: (rows: Int, length: Int)) {
        let (rows, length) = size
        let n = rows * length
        var random = Generator(UInt64(n))
        let x = random.floats(n, scale: 30, offset: 200)
        let dy = random.floats(n)
        let labels = (0..<rows).map { Int32($0 * 7 % length) }
        var (p, logs) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
        var (dx, dlog) = (p, p)
        var (loss, dlogits) = ([Double](), p)
        for r in 0..<rows {
            let row = (r * length)..<((r + 1) * length)
            let top = row.map { Double(x[$0]) }.max() ?? 0
            let total = row.reduce(0) { $0 + exp(Double(x[$1]) - top) }
            var (dot, sum) = (0.0, 0.0)
            for i in row {
                logs[i] = Double(x[i]) - top - log(total)
                p[i] = exp(logs[i])
                dot += p[i] * Double(dy[i])
                sum += Double(dy[i])
            }
            loss.append(0)
            for i in row {
                dx[i] = p[i] * (Double(dy[i]) - dot)
                dlog[i] = Double(dy[i]) - p[i] * sum
                let target = 0.1 / Double(length) + (i - row.lowerBound == Int(labels[r]) ? 0.9 : 0)
                loss[r] -= target * logs[i]
                dlogits[i] = 0.5 * (p[i] - target)
            }
        }
        let (pf, lf) = (p.map { Float($0) }, logs.map { Float($0) })
        onEveryLevel {
            var y = x
            y.withUnsafeMutableBufferPointer {
                ek_softmax_f32($0.baseAddress, rows, length, $0.baseAddress)
            }
            #expect(worst(y, p, scale: 1e-3) < 3e-6)
            ek_log_softmax_f32(x, rows, length, &y)
            #expect(worst(y, logs) < 1e-6)
            ek_softmax_gradient_f32(dy, pf, rows, length, &y)
            #expect(worst(y, dx) < 1e-6)
            ek_log_softmax_gradient_f32(dy, lf, rows, length, &y)
            #expect(worst(y, dlog, scale: 3) < 1e-6)
            var losses = [Float](repeating: 9, count: rows)
            y = x
            y.withUnsafeMutableBufferPointer {
                ek_softmax_cross_entropy_f32(
                    $0.baseAddress, labels, rows, length, 0.1, 0.5, &losses, $0.baseAddress)
            }
            #expect(worst(losses, loss) < 1e-6)
            #expect(worst(y, dlogits) < 1e-6)

            var sums = [Double](repeating: 9, count: rows)
            ek_row_sums_f32(x, rows, length, &sums)
            var (tops, places) = (losses, labels)
            ek_row_max_f32(x, rows, length, &tops)
            ek_row_argmax_f32(x, rows, length, &places)
            for r in 0..<rows {
                let row = x[(r * length)..<((r + 1) * length)]
                #expect(abs(sums[r] - row.reduce(0) { $0 + Double($1) }) < 1e-9)
                #expect(tops[r] == row.max())
                #expect(Int(places[r]) == row.firstIndex(of: tops[r]).map { $0 - r * length })
            }
        }
    }

    @Test("Wrong labels, NaN and infinities")
    func edges() {
        onEveryLevel {
            var loss: [Float] = [0, 0, 0]
            var gradient = [Float](repeating: 0, count: 6)
            let logits: [Float] = [1, 2, 3, 4, 1000, -1000]
            ek_softmax_cross_entropy_f32(logits, [-1, 2, 0], 3, 2, 0, 1, &loss, &gradient)
            #expect(loss[0].isNaN && loss[1].isNaN && loss[2] == 0)
            #expect(gradient[0].isNaN && gradient[3].isNaN && gradient[4] == 0 && gradient[5] == 0)
            var top: Float = 0
            var place: Int32 = 9
            let row: [Float] = [1, 5, .nan, 7] + [Float](repeating: 9, count: 40)
            ek_row_max_f32(row, 1, 44, &top)
            ek_row_argmax_f32(row, 1, 44, &place)
            #expect(top.isNaN && place == 2)
            ek_row_max_f32(row, 1, 0, &top)
            #expect(top == -.infinity)
            var y: [Float] = [0, 0]
            ek_softmax_f32([-.infinity, 3], 1, 2, &y)
            #expect(y == [0, 1])
        }
    }
}
