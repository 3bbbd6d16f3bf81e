import Arrays
import CKernels
import Foundation
import Graph

/// A function of two arguments over a shard, each argument in one of the simple layouts.
final class BinaryKernel<T, R>: Kernel {
    typealias Body = (
        _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ y: UnsafeMutablePointer<R>, _ count: Int
    ) -> Void

    private let a, b, y: Operand
    private let elementsPerUnit: Int
    private let body: Body

    init(_ call: KernelCall, _ body: @escaping Body) {
        a = call.inputs[0]
        b = call.inputs[1]
        y = call.outputs[0]
        elementsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
        self.body = body
    }

    override func run(_ task: ShardTask) {
        body(a.pointer(task), b.pointer(task), y.pointer(task), elementsPerUnit * task.count)
    }
}

/// Calls `apply` for every element, by the operands' layouts.
@inline(__always)
private func forEachPair<T, R>(
    _ a: UnsafePointer<T>, _ layoutA: BroadcastLayout, _ b: UnsafePointer<T>,
    _ layoutB: BroadcastLayout, _ y: UnsafeMutablePointer<R>, _ count: Int, _ apply: (T, T) -> R
) {
    if layoutA == .same, layoutB == .same {
        for i in 0..<count { y[i] = apply(a[i], b[i]) }
    } else if layoutA == .same, layoutB == .scalar {
        let right = b[0]
        for i in 0..<count { y[i] = apply(a[i], right) }
    } else {
        for i in 0..<count { y[i] = apply(a[layoutA.index(i)], b[layoutB.index(i)]) }
    }
}

extension Binary: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let result = call.outputSpecs[0].shape
        guard let a = BroadcastLayout(call.inputSpecs[0].shape, in: result),
            let b = BroadcastLayout(call.inputSpecs[1].shape, in: result)
        else { return nil }
        switch call.outputSpecs[0].type {
        case .float32: return BinaryKernel<Float, Float>(call, float32Body(a, b))
        case .bfloat16: return simdBody(.bfloat16, a, b).map { BinaryKernel(call, $0) }
        case .float64: return BinaryKernel<Double, Double>(call, plainBody(a, b))
        default: return nil
        }
    }

    private func plainBody(
        _ layoutA: BroadcastLayout, _ layoutB: BroadcastLayout
    ) -> BinaryKernel<Double, Double>.Body {
        func body(_ apply: @escaping (Double, Double) -> Double)
            -> BinaryKernel<Double, Double>.Body
        {
            { forEachPair($0, layoutA, $1, layoutB, $2, $3, apply) }
        }
        return switch function {
        case .add: { forEachPair($0, layoutA, $1, layoutB, $2, $3) { $0 + $1 } }
        case .subtract: { forEachPair($0, layoutA, $1, layoutB, $2, $3) { $0 - $1 } }
        case .multiply: { forEachPair($0, layoutA, $1, layoutB, $2, $3) { $0 * $1 } }
        case .divide: { forEachPair($0, layoutA, $1, layoutB, $2, $3) { $0 / $1 } }
        // C's function knows whole exponents, as the operation's meaning asks for.
        case .power: { forEachPair($0, layoutA, $1, layoutB, $2, $3) { Foundation.pow($0, $1) } }
        default: body { self.apply($0, $1) }
        }
    }

    private func float32Body(
        _ layoutA: BroadcastLayout, _ layoutB: BroadcastLayout
    ) -> BinaryKernel<Float, Float>.Body {
        if let body = simdBody(.float32, layoutA, layoutB) { return body }
        if case .clampGradient(let lower, let upper) = function {
            // Both ends belong to the range, as in PyTorch's clamp.
            let (lower, upper) = (Float(lower), Float(upper))
            return {
                forEachPair($0, layoutA, $1, layoutB, $2, $3) { dy, x in
                    x >= lower && x <= upper ? dy : 0
                }
            }
        }
        return { forEachPair($0, layoutA, $1, layoutB, $2, $3) { self.apply($0, $1) } }
    }

    /// The SIMD loop for two layouts; nil where there is none.
    private func simdBody<T>(
        _ loops: BinaryLoops<T>, _ layoutA: BroadcastLayout, _ layoutB: BroadcastLayout
    ) -> BinaryKernel<T, T>.Body? {
        guard let (code, p) = simdCode else { return nil }
        return switch (layoutA, layoutB) {
        case (.same, .same): { a, b, y, n in loops.same(code, a, b, y, n, p) }
        case (.same, .scalar): { a, b, y, n in loops.scalarRight(code, a, b[0], y, n, p) }
        case (.scalar, .same): { a, b, y, n in loops.scalarLeft(code, a[0], b, y, n, p) }
        case (.same, .row(let length)):
            { a, b, y, n in loops.rows(code, a, b, y, n / length, length, p) }
        case (.row(let length), .same):
            { a, b, y, n in loops.rowsLeft(code, a, b, y, n / length, length, p) }
        case (.same, .runs(let length)):
            { a, b, y, n in loops.rowScalars(code, a, b, y, n / length, length, p) }
        case (.runs(let length), .same):
            { a, b, y, n in loops.rowScalarsLeft(code, a, b, y, n / length, length, p) }
        default: nil
        }
    }

    private var simdCode: (Int32, Float)? {
        switch function {
        case .add: (EK_BINARY_ADD, 0)
        case .subtract: (EK_BINARY_SUBTRACT, 0)
        case .multiply: (EK_BINARY_MULTIPLY, 0)
        case .divide: (EK_BINARY_DIVIDE, 0)
        case .power: (EK_BINARY_POWER, 0)
        case .minimum: (EK_BINARY_MINIMUM, 0)
        case .maximum: (EK_BINARY_MAXIMUM, 0)
        case .leakyReLUGradient(slope: 0): (EK_BINARY_RELU_GRADIENT, 0)
        case .leakyReLUGradient(let slope): (EK_BINARY_LEAKY_RELU_GRADIENT, Float(slope))
        case .clampGradient(lower: 0, upper: 6): (EK_BINARY_RELU6_GRADIENT, 0)
        case .clampGradient: nil
        }
    }
}

/// The C kernels' loops over two arguments of one element type, by how they lie against the result.
private struct BinaryLoops<T> {
    typealias Source = UnsafePointer<T>?
    typealias Target = UnsafeMutablePointer<T>?

    let same: (Int32, Source, Source, Target, Int, Float) -> Void
    let scalarRight: (Int32, Source, T, Target, Int, Float) -> Void
    let scalarLeft: (Int32, T, Source, Target, Int, Float) -> Void
    let rows, rowsLeft, rowScalars,
        rowScalarsLeft: (Int32, Source, Source, Target, Int, Int, Float) -> Void
}

extension BinaryLoops<Float> {
    static var float32: Self {
        Self(
            same: ek_binary_f32, scalarRight: ek_binary_scalar_right_f32,
            scalarLeft: ek_binary_scalar_left_f32, rows: ek_binary_rows_f32,
            rowsLeft: ek_binary_rows_left_f32, rowScalars: ek_binary_row_scalars_f32,
            rowScalarsLeft: ek_binary_row_scalars_left_f32)
    }
}

extension BinaryLoops<UInt16> {
    static var bfloat16: Self {
        Self(
            same: ek_binary_bf16, scalarRight: ek_binary_scalar_right_bf16,
            scalarLeft: ek_binary_scalar_left_bf16, rows: ek_binary_rows_bf16,
            rowsLeft: ek_binary_rows_left_bf16, rowScalars: ek_binary_row_scalars_bf16,
            rowScalarsLeft: ek_binary_row_scalars_left_bf16)
    }
}

extension Comparison: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let result = call.outputSpecs[0].shape
        guard let a = BroadcastLayout(call.inputSpecs[0].shape, in: result),
            let b = BroadcastLayout(call.inputSpecs[1].shape, in: result)
        else { return nil }
        switch call.inputSpecs[0].type {
        case .float32:
            return BinaryKernel<Float, Bool>(call) { forEachPair($0, a, $1, b, $2, $3, self.apply) }
        case .float64:
            return BinaryKernel<Double, Bool>(call) {
                forEachPair($0, a, $1, b, $2, $3, self.apply)
            }
        case .int32:
            return Int32ComparisonKernel(call, self, a, b)
        default: return nil
        }
    }
}

/// Comparisons of labels with predictions.
final class Int32ComparisonKernel: Kernel {
    private let a, b, y: Operand
    private let layouts: (BroadcastLayout, BroadcastLayout)
    private let elementsPerUnit: Int
    private let operation: Comparison

    init(
        _ call: KernelCall, _ operation: Comparison, _ layoutA: BroadcastLayout,
        _ layoutB: BroadcastLayout
    ) {
        (a, b, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        layouts = (layoutA, layoutB)
        elementsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
        self.operation = operation
    }

    override func run(_ task: ShardTask) {
        let (left, right): (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) = (
            a.pointer(task), b.pointer(task)
        )
        forEachPair(
            left, layouts.0, right, layouts.1, y.pointer(task, as: Bool.self),
            elementsPerUnit * task.count
        ) { operation.apply(Double($0), Double($1)) }
    }
}
