import Arrays
import CKernels
import Graph

/// A function of one argument over contiguous elements.
final class UnaryKernel<T>: Kernel {
    private let x, y: Operand
    private let elementsPerUnit: Int
    private let body: (UnsafePointer<T>, UnsafeMutablePointer<T>, Int) -> Void

    init(
        _ call: KernelCall,
        _ body: @escaping (UnsafePointer<T>, UnsafeMutablePointer<T>, Int) -> Void
    ) {
        x = call.inputs[0]
        y = call.outputs[0]
        elementsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
        self.body = body
    }

    override func run(_ task: ShardTask) {
        body(x.pointer(task), y.pointer(task), elementsPerUnit * task.count)
    }
}

extension Unary: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch call.outputSpecs[0].type {
        case .float32:
            UnaryKernel<Float>(call) { [loop] x, y, count in loop.run(x, y, count) }
        case .bfloat16: bfloat16Body.map { UnaryKernel<UInt16>(call, $0) }
        case .float64: UnaryKernel<Double>(call, plainBody)
        default: nil
        }
    }

    /// A loop in Swift: for the short float64 vectors of statistics.
    private var plainBody: (UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Void {
        switch function {
        case .add(let term): { x, y, n in for i in 0..<n { y[i] = x[i] + term } }
        case .multiply(let factor): { x, y, n in for i in 0..<n { y[i] = x[i] * factor } }
        case .rsqrt: { x, y, n in for i in 0..<n { y[i] = 1 / x[i].squareRoot() } }
        case .negate: { x, y, n in for i in 0..<n { y[i] = -x[i] } }
        case .clamp(let lower, let upper):
            { x, y, n in
                // NaN fails both comparisons and stays.
                for i in 0..<n { y[i] = x[i] < lower ? lower : x[i] > upper ? upper : x[i] }
            }
        default: { [self] x, y, n in for i in 0..<n { y[i] = apply(x[i]) } }
        }
    }

    /// The SIMD loop for bfloat16, which is computed with in float32; nil where there is none.
    private var bfloat16Body: ((UnsafePointer<UInt16>, UnsafeMutablePointer<UInt16>, Int) -> Void)?
    {
        if let (code, parameter) = simdCode {
            return { x, y, n in ek_unary_bf16(code, x, y, n, parameter) }
        }
        let (code, number): (Int32, Double)
        switch function {
        case .add(let term): (code, number) = (EK_BINARY_ADD, term)
        case .multiply(let factor): (code, number) = (EK_BINARY_MULTIPLY, factor)
        default: return nil
        }
        // The number must not be rounded to bfloat16 itself.
        return BFloat16(Float(number)).floatValue == Float(number)
            ? { x, y, n in
                ek_binary_scalar_right_bf16(code, x, BFloat16(Float(number)).bitPattern, y, n, 0)
            } : nil
    }

    var simdCode: (Int32, Float)? {
        switch function {
        case .negate: (EK_UNARY_NEGATE, 0)
        case .abs: (EK_UNARY_ABS, 0)
        case .sign: (EK_UNARY_SIGN, 0)
        case .exp: (EK_UNARY_EXP, 0)
        case .log: (EK_UNARY_LOG, 0)
        case .sqrt: (EK_UNARY_SQRT, 0)
        case .rsqrt: (EK_UNARY_RSQRT, 0)
        case .reciprocal: (EK_UNARY_RECIPROCAL, 0)
        case .square: (EK_UNARY_SQUARE, 0)
        case .tanh: (EK_UNARY_TANH, 0)
        case .sigmoid: (EK_UNARY_SIGMOID, 0)
        case .softplus: (EK_UNARY_SOFTPLUS, 0)
        case .erf: (EK_UNARY_ERF, 0)
        case .silu: (EK_UNARY_SILU, 0)
        case .leakyReLU(slope: 0): (EK_UNARY_RELU, 0)
        case .leakyReLU(let slope): (EK_UNARY_LEAKY_RELU, Float(slope))
        case .elu(let scale): (EK_UNARY_ELU, Float(scale))
        case .gelu: (EK_UNARY_GELU, 0)
        case .geluTanh: (EK_UNARY_GELU_TANH, 0)
        case .clamp(lower: 0, upper: 6): (EK_UNARY_RELU6, 0)
        case .add, .multiply, .power, .clamp: nil
        }
    }
}

extension Copy: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { CopyKernel(call) }
}

/// Moves bytes.
final class CopyKernel: Kernel {
    private let x, y: Operand
    private let bytesPerUnit: Int

    init(_ call: KernelCall) {
        x = call.inputs[0]
        y = call.outputs[0]
        bytesPerUnit =
            call.elementsPerUnit(call.outputSpecs[0]) * call.outputSpecs[0].type.byteCount
    }

    override func run(_ task: ShardTask) {
        y.address(task).copyMemory(from: x.address(task), byteCount: bytesPerUnit * task.count)
    }
}
