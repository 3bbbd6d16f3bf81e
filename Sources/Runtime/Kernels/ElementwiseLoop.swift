import CKernels
import Graph

/// The C loop of an elementwise operation over float32, with the numbers that it takes.
enum ElementwiseLoop {
    case unary(Int32, Float)
    /// A function of two arguments whose right one is a number.
    case withNumber(Int32, Float)
    case clamp(Float, Float)
    case binary(Int32, Float)

    /// A function of one argument over contiguous elements.
    @inline(__always)
    func run(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
        switch self {
        case .unary(let code, let parameter): ek_unary_f32(code, x, y, count, parameter)
        case .withNumber(let code, let number):
            ek_binary_scalar_right_f32(code, x, number, y, count, 0)
        case .clamp(let lower, let upper): ek_clamp_f32(x, lower, upper, y, count)
        case .binary: preconditionFailure("a function of two arguments was given one")
        }
    }

    /// A function of two arguments over rows; see `ek_binary_runs_f32`.
    @inline(__always)
    func run(
        _ a: UnsafePointer<Float>, _ stepsA: BroadcastRuns.Steps, _ b: UnsafePointer<Float>,
        _ stepsB: BroadcastRuns.Steps, _ y: UnsafeMutablePointer<Float>, _ rows: Int, _ length: Int
    ) {
        guard case .binary(let code, let parameter) = self else {
            preconditionFailure("a function of one argument was given two")
        }
        ek_binary_runs_f32(
            code, a, stepsA.row, stepsA.element, b, stepsB.row, stepsB.element, y, rows, length,
            parameter)
    }
}

extension Unary {
    var loop: ElementwiseLoop {
        if let (code, parameter) = simdCode { return .unary(code, parameter) }
        return switch function {
        case .add(let term): .withNumber(EK_BINARY_ADD, Float(term))
        case .multiply(let factor): .withNumber(EK_BINARY_MULTIPLY, Float(factor))
        case .power(let exponent): .withNumber(EK_BINARY_POWER, Float(exponent))
        case .clamp(let lower, let upper): .clamp(Float(lower), Float(upper))
        default: preconditionFailure("\(name) has no loop")
        }
    }
}

extension Binary {
    /// Nil where there is none.
    var loop: ElementwiseLoop? { simdCode.map { .binary($0.0, $0.1) } }
}
