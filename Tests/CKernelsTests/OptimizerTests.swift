import CKernels
import Testing

@Suite("Optimizers against their formulas, three steps")
struct OptimizerTests {
    static let sizes = [1, 7, 16, 33, 100]

    @Test("SGD", arguments: sizes, [(0.0, false), (0.9, false), (0.9, true)])
    func sgd(n: Int, form: (momentum: Double, nesterov: Bool)) {
        var random = Generator(3)
        let (start, g) = (random.floats(n), random.floats(n))
        onEveryLevel {
            var (w, v) = (start, [Float](repeating: 0, count: n))
            var (we, ve) = (start.map(Double.init), [Double](repeating: 0, count: n))
            for _ in 0..<3 {
                v.withUnsafeMutableBufferPointer {
                    ek_sgd_f32(
                        &w, g, form.momentum == 0 ? nil : $0.baseAddress, n, 0.1, form.momentum,
                        0.25, form.nesterov ? 1 : 0, 0.01, 0.002, 0.5)
                }
                for i in 0..<n {
                    let d = 0.5 * Double(g[i]) + 0.01 * we[i]
                    ve[i] = form.momentum == 0 ? d : form.momentum * ve[i] + 0.75 * d
                    let update = form.nesterov ? d + form.momentum * ve[i] : ve[i]
                    we[i] = we[i] * 0.998 - 0.1 * update
                }
            }
            #expect(worst(w, we) < 1e-6)
        }
    }

    @Test("Adam", arguments: sizes)
    func adam(n: Int) {
        var random = Generator(4)
        let (start, g) = (random.floats(n), random.floats(n))
        onEveryLevel {
            var (w, m) = (start, [Float](repeating: 0, count: n))
            var v = m
            var (we, me) = (start.map(Double.init), [Double](repeating: 0, count: n))
            var ve = me
            for step in 1...3 {
                let (c1, c2) = (1 - Double.pow(0.9, step), 1 - Double.pow(0.999, step))
                ek_adam_f32(
                    &w, g, &m, &v, n, 0.9, 0.999, 0.1 / c1, 1 / c2.squareRoot(), 1e-8, 0.01,
                    0.002, 0.5)
                for i in 0..<n {
                    let d = 0.5 * Double(g[i]) + 0.01 * we[i]
                    me[i] = 0.9 * me[i] + 0.1 * d
                    ve[i] = 0.999 * ve[i] + 0.001 * d * d
                    let update = me[i] / c1 / ((ve[i] / c2).squareRoot() + 1e-8)
                    we[i] = we[i] * 0.998 - 0.1 * update
                }
            }
            #expect(worst(w, we) < 2e-6)
            #expect(worst(v, ve, scale: 1e-6) < 2e-6)
        }
    }

    @Test("RMSProp", arguments: sizes, [true, false])
    func rmsprop(n: Int, full: Bool) {
        var random = Generator(5)
        let (start, g) = (random.floats(n), random.floats(n))
        onEveryLevel {
            var (w, s) = (start, [Float](repeating: 0, count: n))
            var (mean, velocity) = (s, s)
            var (we, se) = (start.map(Double.init), [Double](repeating: 0, count: n))
            var (meane, velocitye) = (se, se)
            for _ in 0..<3 {
                mean.withUnsafeMutableBufferPointer { mean in
                    velocity.withUnsafeMutableBufferPointer { velocity in
                        ek_rmsprop_f32(
                            &w, g, &s, full ? mean.baseAddress : nil,
                            full ? velocity.baseAddress : nil, n, 0.01, 0.9, 1e-3, 0.5, 0.01,
                            0.002, 0.5)
                    }
                }
                for i in 0..<n {
                    let d = 0.5 * Double(g[i]) + 0.01 * we[i]
                    se[i] = 0.9 * se[i] + 0.1 * d * d
                    meane[i] = 0.9 * meane[i] + 0.1 * d
                    let variance = full ? se[i] - meane[i] * meane[i] : se[i]
                    let update = d / (variance.squareRoot() + 1e-3)
                    velocitye[i] = full ? 0.5 * velocitye[i] + update : update
                    we[i] = we[i] * 0.998 - 0.01 * velocitye[i]
                }
            }
            #expect(worst(w, we) < 5e-6)
        }
    }
}

extension Double {
    fileprivate static func pow(_ base: Double, _ count: Int) -> Double {
        (0..<count).reduce(1) { product, _ in product * base }
    }
}
