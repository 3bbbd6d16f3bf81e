import Arrays
import RealModule

/// A function of one element, applied everywhere.
public struct Unary: Operation {
    public enum Function: Hashable, Sendable {
        case negate, abs, sign, exp, log, sqrt, rsqrt, reciprocal, square
        case tanh, sigmoid, softplus, erf, silu
        /// x > 0 ? x : slope * x; slope 0 is ReLU.
        case leakyReLU(slope: Double)
        /// x > 0 ? x : scale * (exp(x) - 1)
        case elu(scale: Double)
        /// x * Phi(x), exactly.
        case gelu
        /// GELU by way of tanh (Hendrycks and Gimpel 2016).
        case geluTanh
        case add(Double)
        case multiply(Double)
        case power(Double)
        case clamp(lower: Double, upper: Double)
    }

    public let function: Function

    public init(_ function: Function) { self.function = function }

    public var name: String {
        switch function {
        case .leakyReLU(let slope): slope == 0 ? "relu" : "leakyReLU(\(slope))"
        case .clamp(let lower, let upper): "clamp(\(lower), \(upper))"
        default: "\(function)"
        }
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard inputs[0].type.isFloatingPoint else {
            fail("expected a floating-point tensor, found \(inputs[0]); convert it with cast(to:)")
        }
        return inputs
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let x = call.inputs[0]
        let y = call.outputs[0]
        let dy = call.gradient
        switch function {
        case .negate: return [-dy]
        case .abs: return [dy * x.sign()]
        case .sign: return [nil]
        case .exp: return [dy * y]
        case .log: return [dy / x]
        case .sqrt: return [dy * 0.5 / y]
        case .rsqrt: return [dy * -0.5 * (y * y * y)]
        case .reciprocal: return [-(dy * y.square())]
        case .square: return [dy * 2 * x]
        case .tanh: return [dy * (1 - y.square())]
        case .sigmoid: return [dy * (y * (1 - y))]
        case .softplus: return [dy * x.sigmoid()]
        case .erf: return [dy * ((-x.square()).exp() * (2 / Double.sqrt(.pi)))]
        case .silu:
            let s = x.sigmoid()
            return [dy * (s * (x * (1 - s) + 1))]
        case .leakyReLU(let slope): return [Tensor(Binary(.leakyReLUGradient(slope: slope)), dy, x)]
        case .elu(let scale): return [Tensor.select(x .> 0, dy, dy * (y + scale))]
        case .gelu:
            let cdf = (x * (0.5 as Double).squareRoot()).erf() * 0.5 + 0.5
            let density = (x.square() * -0.5).exp() * (1 / Double.sqrt(2 * .pi))
            return [dy * (cdf + x * density)]
        case .geluTanh:
            let c = Double.sqrt(2 / .pi)
            let t = ((x + x * x * x * 0.044715) * c).tanh()
            let inner = (x.square() * (3 * 0.044715) + 1) * c
            return [dy * ((t + 1) * 0.5 + x * (1 - t.square()) * inner * 0.5)]
        case .add: return [dy]
        case .multiply(let factor): return [dy * factor]
        // Exponents 0 and 1 by themselves: 0 * 0^-1 would be NaN at 0.
        case .power(0): return [nil]
        case .power(1): return [dy]
        case .power(let exponent): return [dy * (x.power(exponent - 1) * exponent)]
        case .clamp(let lower, let upper):
            return [Tensor(Binary(.clampGradient(lower: lower, upper: upper)), dy, x)]
        }
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        [inputs[0].map(apply)]
    }

    @inline(__always)
    public func apply<T: ReferenceScalar>(_ x: T) -> T {
        switch function {
        case .negate: return -x
        case .abs: return x.magnitude
        case .sign: return x > 0 ? 1 : x < 0 ? -1 : x
        case .exp: return .exp(x)
        case .log: return .log(x)
        case .sqrt: return .sqrt(x)
        case .rsqrt: return 1 / .sqrt(x)
        case .reciprocal: return 1 / x
        case .square: return x * x
        case .tanh: return .tanh(x)
        case .sigmoid: return x >= 0 ? 1 / (1 + .exp(-x)) : .exp(x) / (1 + .exp(x))
        // log(1 + e^x) without overflow; NaN stays NaN.
        case .softplus: return x > 0 ? x + .log(onePlus: .exp(-x)) : .log(onePlus: .exp(x))
        case .erf: return .erf(x)
        case .silu: return x * (x >= 0 ? 1 / (1 + .exp(-x)) : .exp(x) / (1 + .exp(x)))
        // A NaN fails the comparison and is multiplied, so it stays NaN even for slope 0.
        case .leakyReLU(let slope): return x > 0 ? x : (slope == 0 && x <= 0 ? 0 : x * T(slope))
        case .elu(let scale): return x > 0 ? x : T(scale) * .expMinusOne(x)
        case .gelu: return x * T(0.5) * (1 + .erf(x * T(0.5).squareRoot()))
        case .geluTanh:
            return x * T(0.5) * (1 + .tanh(T(Double.sqrt(2 / .pi)) * (x + T(0.044715) * x * x * x)))
        case .add(let term): return x + T(term)
        case .multiply(let factor): return x * T(factor)
        case .power(let exponent):
            if let whole = Int(exactly: exponent) { return .pow(x, whole) }
            return .pow(x, T(exponent))
        case .clamp(let lower, let upper):
            return x < T(lower) ? T(lower) : x > T(upper) ? T(upper) : x
        }
    }
}

extension Tensor {
    private func unary(_ function: Unary.Function) -> Tensor { Tensor(Unary(function), self) }

    public static prefix func - (x: Tensor) -> Tensor { x.unary(.negate) }
    public func abs() -> Tensor { unary(.abs) }
    public func sign() -> Tensor { unary(.sign) }
    public func exp() -> Tensor { unary(.exp) }
    public func log() -> Tensor { unary(.log) }
    public func sqrt() -> Tensor { unary(.sqrt) }
    /// 1 / sqrt(x)
    public func rsqrt() -> Tensor { unary(.rsqrt) }
    public func reciprocal() -> Tensor { unary(.reciprocal) }
    public func square() -> Tensor { unary(.square) }
    public func tanh() -> Tensor { unary(.tanh) }
    public func sigmoid() -> Tensor { unary(.sigmoid) }
    /// log(1 + exp(x)), without overflow.
    public func softplus() -> Tensor { unary(.softplus) }
    public func erf() -> Tensor { unary(.erf) }
    public func silu() -> Tensor { unary(.silu) }
    /// max(x, 0); NaN stays NaN.
    public func relu() -> Tensor { unary(.leakyReLU(slope: 0)) }
    public func leakyReLU(slope: Double = 0.01) -> Tensor { unary(.leakyReLU(slope: slope)) }
    public func elu(scale: Double = 1) -> Tensor { unary(.elu(scale: scale)) }
    /// The Gaussian error linear unit, exact or by the tanh approximation.
    public func gelu(approximate: Bool = false) -> Tensor { unary(approximate ? .geluTanh : .gelu) }
    public func power(_ exponent: Double) -> Tensor { unary(.power(exponent)) }
    public func clamped(to range: ClosedRange<Double>) -> Tensor {
        unary(.clamp(lower: range.lowerBound, upper: range.upperBound))
    }

    public static func + (x: Tensor, term: Double) -> Tensor { x.unary(.add(term)) }
    public static func + (term: Double, x: Tensor) -> Tensor { x.unary(.add(term)) }
    public static func - (x: Tensor, term: Double) -> Tensor { x.unary(.add(-term)) }
    public static func - (term: Double, x: Tensor) -> Tensor { (-x).unary(.add(term)) }
    public static func * (x: Tensor, factor: Double) -> Tensor { x.unary(.multiply(factor)) }
    public static func * (factor: Double, x: Tensor) -> Tensor { x.unary(.multiply(factor)) }
    public static func / (x: Tensor, divisor: Double) -> Tensor { x.unary(.multiply(1 / divisor)) }
    public static func / (dividend: Double, x: Tensor) -> Tensor {
        x.unary(.reciprocal).unary(.multiply(dividend))
    }
}
