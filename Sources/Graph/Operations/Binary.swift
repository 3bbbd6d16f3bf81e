import Arrays
import RealModule

/// A function of two elements, with NumPy's broadcasting.
public struct Binary: Operation {
    public enum Function: Hashable, Sendable {
        case add, subtract, multiply, divide, power, minimum, maximum
        /// (dy, x): dy where x > 0, slope * dy elsewhere.
        case leakyReLUGradient(slope: Double)
        /// (dy, x): dy where lower <= x <= upper, 0 elsewhere.
        case clampGradient(lower: Double, upper: Double)
        /// 1 where a > b, 1/2 where they are equal, 0 elsewhere: a maximum's derivative.
        case exceeds
    }

    public let function: Function

    public init(_ function: Function) { self.function = function }

    public var name: String {
        if case .leakyReLUGradient(slope: 0) = function { return "reluGradient" }
        return "\(function)"
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let type = commonType(inputs)
        guard type.isFloatingPoint else {
            fail("expected floating-point tensors, found \(inputs[0]) and \(inputs[1])")
        }
        return [TensorSpec(broadcastShape(inputs), type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (a, b) = (call.inputs[0], call.inputs[1])
        let dy = call.gradient
        func da(_ gradient: @autoclosure () -> Tensor) -> Tensor? {
            call.wanted[0] ? gradient().sum(to: a.shape) : nil
        }
        func db(_ gradient: @autoclosure () -> Tensor) -> Tensor? {
            call.wanted[1] ? gradient().sum(to: b.shape) : nil
        }
        switch function {
        case .add: return [da(dy), db(dy)]
        case .subtract: return [da(dy), db(-dy)]
        case .multiply: return [da(dy * b), db(dy * a)]
        case .divide:
            let share = dy / b
            return [da(share), db(-(share * call.outputs[0]))]
        case .power:
            // Where b = 0 the first factor decides, also for a = 0; where a = 0, y log(a) has the limit 0.
            let one = Tensor(NDArray(scalar: 1.0).converted(to: a.elementType))
            return [
                da(dy * b * a.power(Tensor.select(b .== 0, one, b) - 1)),
                db(dy * call.outputs[0] * Tensor.select(a .== 0, one, a).log()),
            ]
        // At a tie each side gets half, as the subgradient of least norm.
        case .minimum:
            return [
                da(dy * Tensor(Binary(.exceeds), b, a)), db(dy * Tensor(Binary(.exceeds), a, b)),
            ]
        case .maximum:
            return [
                da(dy * Tensor(Binary(.exceeds), a, b)), db(dy * Tensor(Binary(.exceeds), b, a)),
            ]
        case .leakyReLUGradient, .clampGradient: return [da(Tensor(self, dy, b)), nil]
        case .exceeds: return [nil, nil]
        }
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let shape = Shape.broadcast(inputs[0].shape, inputs[1].shape)!
        let (a, b) = (inputs[0].broadcast(to: shape), inputs[1].broadcast(to: shape))
        return [Values(shape: shape, zip(a.elements, b.elements).map { apply($0, $1) })]
    }

    @inline(__always)
    public func apply<T: ReferenceScalar>(_ a: T, _ b: T) -> T {
        switch function {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide: return a / b
        // Whole exponents by themselves: they allow negative bases, and 0^0 is 1.
        case .power: return Int(exactly: b).map { .pow(a, $0) } ?? .pow(a, b)
        case .minimum: return a.isNaN || a < b ? a : b
        case .maximum: return a.isNaN || a > b ? a : b
        case .leakyReLUGradient(let slope): return b > 0 ? a : slope == 0 ? 0 : a * T(slope)
        case .clampGradient(let lower, let upper): return b >= T(lower) && b <= T(upper) ? a : 0
        case .exceeds: return a > b ? 1 : a == b ? 0.5 : 0
        }
    }
}

/// A comparison of two tensors, giving booleans.
public struct Comparison: Operation {
    public enum Function: Hashable, Sendable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    }

    public let function: Function

    public var name: String { "\(function)" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        _ = commonType(inputs)
        return [TensorSpec(broadcastShape(inputs), .bool)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let shape = Shape.broadcast(inputs[0].shape, inputs[1].shape)!
        let (a, b) = (inputs[0].broadcast(to: shape), inputs[1].broadcast(to: shape))
        return [Values(shape: shape, zip(a.elements, b.elements).map { apply($0, $1) ? 1 : 0 })]
    }

    @inline(__always)
    public func apply<T: ReferenceScalar>(_ a: T, _ b: T) -> Bool {
        switch function {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        }
    }
}

extension Operation {
    func broadcastShape(_ inputs: [TensorSpec]) -> Shape {
        guard let shape = Shape.broadcast(inputs[0].shape, inputs[1].shape) else {
            fail("the shapes \(inputs[0].shape) and \(inputs[1].shape) do not broadcast")
        }
        return shape
    }
}

infix operator .== : ComparisonPrecedence
infix operator .!= : ComparisonPrecedence
infix operator .< : ComparisonPrecedence
infix operator .<= : ComparisonPrecedence
infix operator .> : ComparisonPrecedence
infix operator .>= : ComparisonPrecedence

extension Tensor {
    public static func + (a: Tensor, b: Tensor) -> Tensor { Tensor(Binary(.add), a, b) }
    public static func - (a: Tensor, b: Tensor) -> Tensor { Tensor(Binary(.subtract), a, b) }
    public static func * (a: Tensor, b: Tensor) -> Tensor { Tensor(Binary(.multiply), a, b) }
    public static func / (a: Tensor, b: Tensor) -> Tensor { Tensor(Binary(.divide), a, b) }
    public static func += (a: inout Tensor, b: Tensor) { a = a + b }
    public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
    public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
    public static func /= (a: inout Tensor, b: Tensor) { a = a / b }

    public func power(_ exponent: Tensor) -> Tensor { Tensor(Binary(.power), self, exponent) }
    public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
        Tensor(Binary(.minimum), a, b)
    }
    public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
        Tensor(Binary(.maximum), a, b)
    }

    private static func compare(_ f: Comparison.Function, _ a: Tensor, _ b: Tensor) -> Tensor {
        Tensor(Comparison(function: f), a, b)
    }
    private func scalar(_ value: Double) -> Tensor {
        let scalar = NDArray(scalar: value).converted(to: elementType)
        precondition(
            elementType.isFloatingPoint || scalar.item(as: Double.self) == value,
            "\(value) is no \(elementType) to compare \(spec) with")
        return Tensor(scalar)
    }

    public static func .== (a: Tensor, b: Tensor) -> Tensor { compare(.equal, a, b) }
    public static func .!= (a: Tensor, b: Tensor) -> Tensor { compare(.notEqual, a, b) }
    public static func .< (a: Tensor, b: Tensor) -> Tensor { compare(.less, a, b) }
    public static func .<= (a: Tensor, b: Tensor) -> Tensor { compare(.lessOrEqual, a, b) }
    public static func .> (a: Tensor, b: Tensor) -> Tensor { compare(.greater, a, b) }
    public static func .>= (a: Tensor, b: Tensor) -> Tensor { compare(.greaterOrEqual, a, b) }
    public static func .== (a: Tensor, b: Double) -> Tensor { a .== a.scalar(b) }
    public static func .!= (a: Tensor, b: Double) -> Tensor { a .!= a.scalar(b) }
    public static func .< (a: Tensor, b: Double) -> Tensor { a .< a.scalar(b) }
    public static func .<= (a: Tensor, b: Double) -> Tensor { a .<= a.scalar(b) }
    public static func .> (a: Tensor, b: Double) -> Tensor { a .> a.scalar(b) }
    public static func .>= (a: Tensor, b: Double) -> Tensor { a .>= a.scalar(b) }
}
