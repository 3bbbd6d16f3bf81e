import CKernels

/// The plain formulas, in Double.
struct CentredReference {
    var shape: Shape
    var mean: [Double]
    var scale: [Double]
    var shift: [Double]
    var residual: [Double]?
    var activation: Int32
    var slope: Double

    func preactivation(_ x: [Float], _ i: Int) -> Double {
        let c = shape.channel(i)
        return (Double(x[i]) - mean[c]) * scale[c] + shift[c] + (residual?[i] ?? 0)
    }

    func forward(_ x: [Float]) -> [Double] {
        x.indices.map { i in
            let v = preactivation(x, i)
            switch activation {
            case EK_RELU: return v < 0 ? 0 : v
            case EK_RELU6: return v < 0 ? 0 : v > 6 ? 6 : v
            case EK_LEAKY_RELU: return v < 0 ? slope * v : v
            default: return v
            }
        }
    }

    func gradient(_ dy: [Float], _ x: [Float]) -> [Double] {
        x.indices.map { i in
            let v = preactivation(x, i)
            let g = Double(dy[i])
            switch activation {
            case EK_RELU: return v <= 0 ? 0 : g
            case EK_RELU6: return v <= 0 || v >= 6 ? 0 : g
            case EK_LEAKY_RELU: return v <= 0 ? slope * g : g
            default: return g
            }
        }
    }

    func sums(_ dy: [Float], _ x: [Float]) -> [Double] {
        let g = gradient(dy, x)
        var sums = [Double](repeating: 0, count: 2 * shape.channels)
        for i in x.indices {
            let c = shape.channel(i)
            sums[c] += g[i]
            sums[shape.channels + c] += g[i] * (Double(x[i]) - mean[c])
        }
        return sums
    }
}

/// Count, means and M2 in two passes.
func referenceMoments(_ x: [Float], _ shape: Shape, weights: [Float]? = nil) -> [Double] {
    let channels = shape.channels
    var count = [Double](repeating: 0, count: channels)
    var mean = count
    var m2 = count
    func each(_ body: (Int, Double, Double) -> Void) {
        for i in x.indices {
            let w = weights.map { Double($0[shape.position(i)]) } ?? 1
            if w != 0 { body(shape.channel(i), w, Double(x[i])) }
        }
    }
    each { c, w, v in
        count[c] += w
        mean[c] += w * v
    }
    for c in 0..<channels { mean[c] /= count[c] }
    each { c, w, v in m2[c] += w * (v - mean[c]) * (v - mean[c]) }
    return [count[0]] + mean + m2
}

/// Input, gradient, residual and parameters for a shape. Values lie on a grid of 1/64 and the
/// parameters so that no preactivation is at an activation's corner, where rounding decides.
struct CentredCase {
    var shape: Shape
    var x: [Float]
    var dy: [Float]
    var residual: [Float]
    var weights: [Float]
    var mean: [Double]
    var scale: [Double]
    var shift: [Double]

    init(_ shape: Shape, seed: UInt64 = 1) {
        var random = Generator(seed)
        func grid(_ v: Float) -> Float { (v * 64).rounded() / 64 }
        self.shape = shape
        x = (0..<shape.count).map { grid(random.uniform() * 3) + Float(shape.channel($0) % 9) }
        dy = random.floats(shape.count)
        residual = (0..<shape.count).map { _ in grid(random.uniform()) }
        weights = (0..<shape.positions).map { _ in Float(random.next() % 3) / 2 }
        weights[0] = 1
        mean = (0..<shape.channels).map { Double($0 % 9) + 0.25 }
        scale = (0..<shape.channels).map { Double($0 % 4 + 1) / 2 }
        shift = (0..<shape.channels).map { Double($0 % 3) / 4 + 0.0013 }
    }

    func reference(_ activation: Int32, residual withResidual: Bool) -> CentredReference {
        CentredReference(
            shape: shape, mean: mean, scale: scale, shift: shift,
            residual: withResidual ? residual.map(Double.init) : nil,
            activation: activation, slope: 0.125)
    }
}
