import CKernels
import Foundation
import Testing

/// Functions of one argument in Double, with the largest error allowed in units in the last place.
struct UnaryCase: Sendable, CustomTestStringConvertible {
    var op: Int32
    var testDescription: String
    var units: Double
    var function: @Sendable (Double) -> Double

    init(
        _ op: Int32, _ name: String, _ units: Double,
        _ function: @escaping @Sendable (Double) -> Double
    ) {
        (self.op, testDescription, self.units, self.function) = (op, name, units, function)
    }

    static let all: [UnaryCase] = [
        UnaryCase(EK_UNARY_NEGATE, "negate", 0.5) { -$0 },
        UnaryCase(EK_UNARY_ABS, "abs", 0.5) { abs($0) },
        UnaryCase(EK_UNARY_EXP, "exp", 1.1) { exp($0) },
        UnaryCase(EK_UNARY_LOG, "log", 1) { log($0) },
        UnaryCase(EK_UNARY_SQRT, "sqrt", 0.51) { $0.squareRoot() },
        UnaryCase(EK_UNARY_RSQRT, "rsqrt", 1.6) { 1 / $0.squareRoot() },
        UnaryCase(EK_UNARY_RECIPROCAL, "reciprocal", 0.51) { 1 / $0 },
        UnaryCase(EK_UNARY_SQUARE, "square", 0.51) { $0 * $0 },
        UnaryCase(EK_UNARY_SIGN, "sign", 0) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
        UnaryCase(EK_UNARY_RELU, "relu", 0) { $0 < 0 ? 0 : $0 },
        UnaryCase(EK_UNARY_LEAKY_RELU, "leaky relu", 0.51) { $0 < 0 ? 0.3125 * $0 : $0 },
        UnaryCase(EK_UNARY_RELU6, "relu6", 0) { $0 < 0 ? 0 : $0 > 6 ? 6 : $0 },
        UnaryCase(EK_UNARY_ELU, "elu", 2.5) { $0 > 0 ? $0 : 0.3125 * expm1($0) },
        UnaryCase(EK_UNARY_GELU, "gelu", 8) {
            $0 < -200 ? 0 : 0.5 * $0 * erfc(-$0 * 0.5.squareRoot())
        },
        UnaryCase(EK_UNARY_GELU_TANH, "gelu tanh", 40) { geluTanh($0) },
        UnaryCase(EK_UNARY_SILU, "silu", 4) { $0 < -200 ? 0 : $0 * sigmoid($0) },
        UnaryCase(EK_UNARY_SIGMOID, "sigmoid", 3) { sigmoid($0) },
        UnaryCase(EK_UNARY_TANH, "tanh", 3) { tanh($0) },
        UnaryCase(EK_UNARY_SOFTPLUS, "softplus", 2.5) { max($0, 0) + log1p(exp(-abs($0))) },
        UnaryCase(EK_UNARY_ERF, "erf", 2) { erf($0) },
        UnaryCase(EK_UNARY_EXPM1, "expm1", 2) { expm1($0) },
        UnaryCase(EK_UNARY_LOG1P, "log1p", 2) { log1p($0) },
        UnaryCase(EK_UNARY_FLOOR, "floor", 0) { $0.rounded(.down) },
        UnaryCase(EK_UNARY_CEIL, "ceil", 0) { $0.rounded(.up) },
        UnaryCase(EK_UNARY_ROUND, "round", 0) { $0.rounded(.toNearestOrEven) },
        UnaryCase(EK_UNARY_IS_FINITE, "is finite", 0) { $0.isFinite ? 1 : 0 },
    ]
}

func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

func geluTanh(_ x: Double) -> Double {
    x < -200 ? 0 : x * sigmoid(2 * 0.7978845608028654 * (x + 0.044715 * x * x * x))
}

/// |value - truth| in units in the last place of the truth; those of `floor` where it is smaller.
func units(_ value: Float, _ truth: Double, floor: Float = .leastNonzeroMagnitude) -> Double {
    if truth.isNaN || value.isNaN { return truth.isNaN && value.isNaN ? 0 : .infinity }
    let rounded = Float(truth)
    if rounded.isInfinite || value.isInfinite {
        let close = abs(truth) > 3.402e38 && abs(value) > 3.402e38
        return close && value.sign == rounded.sign ? 0 : .infinity
    }
    return abs(Double(value) - truth) / Double(max(abs(rounded), floor).ulp)
}

@Suite("Elementwise functions")
struct ElementwiseTests {
    /// Every region of the floats: all exponents and signs, and the usual range densely.
    static let inputs: [Float] = {
        var random = Generator(17)
        var x: [Float] = [
            0, -0.0, 1, -1, .infinity, -.infinity, .nan, 6, 0.5, -0.5, 2.5, 3.5, 88.72, 88.73, 89,
            -87.4, -103.9, -104.1, .leastNonzeroMagnitude, .leastNormalMagnitude,
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 8_388_609, -1e-8, 1e-8,
        ]
        for exponent in 0...254 {
            for _ in 0..<8 {
                x.append(
                    Float(bitPattern: UInt32(exponent) << 23 | UInt32(random.next() & 0x807F_FFFF)))
            }
        }
        for _ in 0..<4000 { x.append(random.uniform() * 12) }
        for _ in 0..<1000 { x.append(random.uniform()) }
        return x
    }()

    @Test("Errors stay below their bounds everywhere", arguments: UnaryCase.all)
    func unary(function: UnaryCase) {
        let x = Self.inputs
        // In the lower tails, where intermediate results are denormal or the exponent is large,
        // the absolute error counts.
        let tails = [EK_UNARY_GELU, EK_UNARY_GELU_TANH, EK_UNARY_SILU]
        let floor: Float = tails.contains(function.op) ? 1e-6 : .leastNonzeroMagnitude
        onEveryLevel {
            var y = [Float](repeating: 9, count: x.count)
            ek_unary_f32(function.op, x, &y, x.count, 0.3125)
            for i in x.indices {
                let error = units(y[i], function.function(Double(x[i])), floor: floor)
                if error > function.units {
                    Issue.record("\(function.testDescription)(\(x[i])) = \(y[i]): \(error) units")
                    break
                }
            }
            // A result does not depend on its place, and may take the argument's.
            var moved = Array(x[3...])
            moved.withUnsafeMutableBufferPointer {
                ek_unary_f32(function.op, $0.baseAddress, $0.baseAddress, $0.count, 0.3125)
            }
            #expect(zip(moved, y[3...]).allSatisfy { $0.bitPattern == $1.bitPattern })
        }
    }

    static let binaries: [@Sendable (Double, Double) -> Double] = [
        { $0 + $1 }, { $0 - $1 }, { $0 * $1 }, { $0 / $1 },
        { $0.isNaN || $1.isNaN ? .nan : min($0, $1) },
        { $0.isNaN || $1.isNaN ? .nan : max($0, $1) },
        { pow($0, $1) }, { ($0 - $1) * ($0 - $1) },
        { $0 == $1 ? 1 : 0 }, { $0 != $1 ? 1 : 0 }, { $0 < $1 ? 1 : 0 }, { $0 <= $1 ? 1 : 0 },
        { $0 > $1 ? 1 : 0 }, { $0 >= $1 ? 1 : 0 },
        { $0 * ($1 > 0 ? 1 : $1 < 0 ? -1 : $1) }, { $1 <= 0 ? 0 : $0 },
        { $1 <= 0 ? 0.3125 * $0 : $0 }, { $1 >= 0 && $1 <= 6 ? $0 : 0 },
        { $1 > 0 ? $0 : $0 * 0.3125 * exp($1) },
        { $0 * (0.5 * erfc(-$1 * 0.5.squareRoot()) + $1 * 0.3989422804014327 * exp(-$1 * $1 / 2)) },
        { dy, x in
            let s = sigmoid(2 * 0.7978845608028654 * (x + 0.044715 * x * x * x))
            return dy * s * (1 + x * (1 - s) * 2 * 0.7978845608028654 * (1 + 0.134145 * x * x))
        },
        { $0 * sigmoid($1) * (1 + $1 * (1 - sigmoid($1))) },
        { $0 * $1 * (1 - $1) }, { $0 * (1 - $1 * $1) }, { $0 * sigmoid($1) },
        { $0 > $1 ? 1 : $0 == $1 ? 0.5 : 0 },
    ]

    private static func half(_ x: Float) -> UInt16 {
        if x.isNaN { return 0x7FC0 }
        let bits = x.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
    private static func whole(_ x: UInt16) -> Float { Float(bitPattern: UInt32(x) << 16) }

    /// How an argument lies against rows of results.
    struct Way {
        var stride: Int
        var isArray: Int32

        func index(_ i: Int, _ length: Int) -> Int {
            i / length * stride + (isArray == 0 ? 0 : i % length)
        }
    }

    /// All that leave one argument an array: its own rows, the same row again, a number for each row,
    /// one number.
    static func ways(_ length: Int) -> [(a: Way, b: Way)] {
        let all = [(length, 1), (0, 1), (1, 0), (0, 0)].map { Way(stride: $0, isArray: $1) }
        return all.flatMap { a in all.map { (a, $0) } }.filter { $0.a.isArray + $0.b.isArray > 0 }
    }

    @Test("In bfloat16 they are the float functions of the same numbers, rounded")
    func bfloat16() {
        var random = Generator(29)
        let (rows, length) = (3, 37)
        let n = rows * length
        let a = random.floats(n, scale: 3).map(Self.half)
        let b = random.floats(n, scale: 7).map(Self.half)
        let (x, z) = (a.map(Self.whole), b.map(Self.whole))
        func check(_ y: [UInt16], _ truth: [Float], _ what: String) {
            let same = zip(y, truth).allSatisfy {
                Self.half($1) == $0 || ($1.isNaN && Self.whole($0).isNaN)
            }
            #expect(same, "\(what)")
        }
        onEveryLevel {
            var y = [UInt16](repeating: 9, count: n)
            var truth = [Float](repeating: 9, count: n)
            for op in 0..<EK_UNARY_COUNT {
                ek_unary_bf16(op, a, &y, n, 0.3125)
                ek_unary_f32(op, x, &truth, n, 0.3125)
                check(y, truth, "unary \(op)")
            }
            for op in 0..<EK_BINARY_COUNT {
                ek_binary_bf16(op, a, b, &y, n, 0.3125)
                ek_binary_f32(op, x, z, &truth, n, 0.3125)
                check(y, truth, "binary \(op)")
                ek_binary_scalar_right_bf16(op, a, b[1], &y, n, 0.3125)
                ek_binary_scalar_right_f32(op, x, z[1], &truth, n, 0.3125)
                check(y, truth, "binary \(op), one right number")
                for way in Self.ways(length) {
                    ek_binary_runs_bf16(
                        op, a, way.a.stride, way.a.isArray, b, way.b.stride, way.b.isArray, &y,
                        rows, length, 0.3125)
                    ek_binary_runs_f32(
                        op, x, way.a.stride, way.a.isArray, z, way.b.stride, way.b.isArray, &truth,
                        rows, length, 0.3125)
                    check(y, truth, "binary \(op), \(way)")
                }
            }
        }
    }

    @Test(
        "Functions of two arguments, and all ways of broadcasting", arguments: 0..<EK_BINARY_COUNT)
    func binary(op: Int32) {
        var random = Generator(23)
        let f = Self.binaries[Int(op)]
        for (rows, length) in [(1, 1), (3, 7), (5, 16), (4, 33), (2, 257)] {
            let n = rows * length
            let a =
                op == EK_BINARY_POWER
                ? (0..<n).map { _ in abs(random.uniform()) * 4 + 0.01 } : random.floats(n, scale: 3)
            // Some pairs are equal.
            let b = (0..<n).map { $0 % 5 == 4 ? a[$0] : random.uniform() * 7 }
            func check(_ y: [Float], _ left: (Int) -> Float, _ right: (Int) -> Float) {
                let truth = (0..<n).map { f(Double(left($0)), Double(right($0))) }
                #expect(worst(y, truth) < 2e-6)
            }
            onEveryLevel {
                var y = [Float](repeating: 9, count: n)
                ek_binary_f32(op, a, b, &y, n, 0.3125)
                check(y, { a[$0] }, { b[$0] })
                ek_binary_scalar_right_f32(op, a, b[0], &y, n, 0.3125)
                check(y, { a[$0] }, { _ in b[0] })
                for way in Self.ways(length) {
                    ek_binary_runs_f32(
                        op, a, way.a.stride, way.a.isArray, b, way.b.stride, way.b.isArray, &y,
                        rows, length, 0.3125)
                    check(y, { a[way.a.index($0, length)] }, { b[way.b.index($0, length)] })
                }
            }
        }
    }

    @Test("Powers at the edges are the C library's")
    func powers() {
        let values: [Float] = [
            0, -0.0, 1, -1, 2, -2, 3, 0.5, .infinity, -.infinity, .nan, 0x1p-133, 3e38,
        ]
        let a = values.flatMap { v in values.map { _ in v } }
        let b = values.flatMap { _ in values }
        onEveryLevel {
            var y = [Float](repeating: 9, count: a.count)
            ek_binary_f32(EK_BINARY_POWER, a, b, &y, a.count, 0)
            for i in a.indices where units(y[i], Double(powf(a[i], b[i]))) > 1.01 {
                Issue.record("\(a[i])^\(b[i]) = \(y[i])")
            }
        }
    }

    @Test("NaN wins minimum and maximum; derivatives have their limits")
    func edges() {
        onEveryLevel {
            var y: [Float] = [0, 0]
            for op in [EK_BINARY_MINIMUM, EK_BINARY_MAXIMUM] {
                ek_binary_f32(op, [.nan, 1], [1, .nan], &y, 2, 0)
                #expect(y[0].isNaN && y[1].isNaN)
            }
            let gradients = [
                EK_BINARY_GELU_GRADIENT, EK_BINARY_GELU_TANH_GRADIENT, EK_BINARY_SILU_GRADIENT,
                EK_BINARY_SOFTPLUS_GRADIENT,
            ]
            for op in gradients {
                ek_binary_f32(op, [3, 3], [-.infinity, .infinity], &y, 2, 0)
                #expect(y == [0, 3])
            }
        }
    }

    @Test("Selection, clamping, axpy, sums", arguments: [0, 1, 15, 16, 17, 64, 1000, 1025])
    func others(n: Int) {
        var random = Generator(31)
        let (a, b) = (random.floats(n), random.floats(n))
        let condition = (0..<n).map { Float($0 % 3) }
        onEveryLevel {
            var y = [Float](repeating: 9, count: n)
            ek_select_f32(condition, a, b, &y, n)
            #expect(y == (0..<n).map { condition[$0] != 0 ? a[$0] : b[$0] })
            ek_clamp_f32(a, -0.5, 0.25, &y, n)
            #expect(y == a.map { min(max($0, -0.5), 0.25) })
            y = b
            ek_axpy_f32(0.5, a, &y, n)
            #expect(worst(y, (0..<n).map { Double(b[$0]) + 0.5 * Double(a[$0]) }) < 1e-7)
            let sum = a.reduce(0) { $0 + Double($1) }
            let squares = a.reduce(0) { $0 + Double($1) * Double($1) }
            #expect(abs(ek_sum_f32(a, n) - sum) < 1e-12 * Double(n + 1))
            #expect(abs(ek_square_sum_f32(a, n) - squares) < 1e-12 * Double(n + 1))
            #expect(ek_all_finite_f32(a, n) == 1)
            if n > 0 {
                for bad in [Float.nan, .infinity, -.infinity] {
                    y = a
                    y[n - 1] = bad
                    #expect(ek_all_finite_f32(y, n) == 0)
                }
            }
            ek_fill_f32(2, &y, n)
            #expect(y == [Float](repeating: 2, count: n))
        }
    }
}
