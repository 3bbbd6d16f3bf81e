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

/// The same with a SIMD loop, for all ways of broadcasting.
final class BinaryRunsKernel<T>: Kernel {
    /// `ek_binary_runs`, with the function and its parameter filled in.
    typealias Body = (
        _ a: UnsafePointer<T>, _ stepsA: BroadcastRuns.Steps, _ b: UnsafePointer<T>,
        _ stepsB: BroadcastRuns.Steps, _ y: UnsafeMutablePointer<T>, _ rows: Int, _ length: Int
    ) -> Void

    private let a, b, y: Operand
    private let runs: BroadcastRuns
    private let body: Body

    init(_ call: KernelCall, _ body: @escaping Body) {
        (a, b, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        runs = BroadcastRuns(
            call.inputSpecs[0].shape, call.inputSpecs[1].shape, units: call.units?.count)
        self.body = body
    }

    override func run(_ task: ShardTask) {
        let a = UnsafePointer(a.pointer(task, as: T.self))
        let b = UnsafePointer(b.pointer(task, as: T.self))
        let y = y.pointer(task, as: T.self)
        runs.forEach(units: task.count) { offsetA, offsetB, offset, rows in
            body(a + offsetA, runs.a, b + offsetB, runs.b, y + offset, rows, runs.length)
        }
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
        if let simdCode, let loop {
            switch call.outputSpecs[0].type {
            case .float32:
                return BinaryRunsKernel<Float>(call) { a, stepsA, b, stepsB, y, rows, length in
                    loop.run(a, stepsA, b, stepsB, y, rows, length)
                }
            case .bfloat16:
                return BinaryRunsKernel<UInt16>(call) { a, stepsA, b, stepsB, y, rows, length in
                    ek_binary_runs_bf16(
                        simdCode.0, a, stepsA.row, stepsA.element, b, stepsB.row, stepsB.element,
                        y, rows, length, simdCode.1)
                }
            default: break
            }
        }
        let result = call.outputSpecs[0].shape
        guard let a = BroadcastLayout(call.inputSpecs[0].shape, in: result),
            let b = BroadcastLayout(call.inputSpecs[1].shape, in: result)
        else { return nil }
        switch call.outputSpecs[0].type {
        case .float32: return BinaryKernel<Float, Float>(call, clampGradientBody(a, b))
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

    /// What has no SIMD loop.
    private func clampGradientBody(
        _ layoutA: BroadcastLayout, _ layoutB: BroadcastLayout
    ) -> BinaryKernel<Float, Float>.Body {
        guard case .clampGradient(let lower, let upper) = function else {
            preconditionFailure("\(name) has a SIMD loop")
        }
        // Both ends belong to the range, as in PyTorch's clamp.
        let (low, high) = (Float(lower), Float(upper))
        return {
            forEachPair($0, layoutA, $1, layoutB, $2, $3) { dy, x in x >= low && x <= high ? dy : 0
            }
        }
    }

    var simdCode: (Int32, Float)? {
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
        case .exceeds: (EK_BINARY_EXCEEDS, 0)
        case .clampGradient: nil
        }
    }
}

extension Comparison: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let result = call.outputSpecs[0].shape
        guard let a = BroadcastLayout(call.inputSpecs[0].shape, in: result),
            let b = BroadcastLayout(call.inputSpecs[1].shape, in: result)
        else { return nil }
        switch call.inputSpecs[0].type {
        case .float32: return BinaryKernel<Float, Bool>(call, body(a, b))
        case .float64: return BinaryKernel<Double, Bool>(call, body(a, b))
        case .int32:
            return Int32ComparisonKernel(call, self, a, b)
        default: return nil
        }
    }

    /// A loop for each function, which knows it.
    private func body<T: Comparable>(
        _ a: BroadcastLayout, _ b: BroadcastLayout
    ) -> BinaryKernel<T, Bool>.Body {
        switch function {
        case .equal: { forEachPair($0, a, $1, b, $2, $3) { $0 == $1 } }
        case .notEqual: { forEachPair($0, a, $1, b, $2, $3) { $0 != $1 } }
        case .less: { forEachPair($0, a, $1, b, $2, $3) { $0 < $1 } }
        case .lessOrEqual: { forEachPair($0, a, $1, b, $2, $3) { $0 <= $1 } }
        case .greater: { forEachPair($0, a, $1, b, $2, $3) { $0 > $1 } }
        case .greaterOrEqual: { forEachPair($0, a, $1, b, $2, $3) { $0 >= $1 } }
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
