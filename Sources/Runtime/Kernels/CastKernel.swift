import Arrays
import CKernels
import Graph

/// A conversion between element types.
final class CastKernel: Kernel {
    typealias Body = (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int) -> Void

    private let x, y: Operand
    private let elementsPerUnit: Int
    private let body: Body

    init(_ call: KernelCall, _ body: @escaping Body) {
        x = call.inputs[0]
        y = call.outputs[0]
        elementsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
        self.body = body
    }

    override func run(_ task: ShardTask) {
        body(x.address(task), y.address(task), elementsPerUnit * task.count)
    }
}

extension Cast: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch (call.inputSpecs[0].type, type) {
        case (.uint8, .float32):
            CastKernel(call) { x, y, n in
                ek_convert_scale_u8_f32(
                    x.assumingMemoryBound(to: UInt8.self), 1, 0,
                    y.assumingMemoryBound(to: Float.self), n)
            }
        case (.float32, .float64): convert(call, ek_convert_f32_f64)
        case (.float64, .float32): convert(call, ek_convert_f64_f32)
        case (.int32, .float32): convert(call, ek_convert_i32_f32)
        case (.bfloat16, .float32): convert(call, ek_convert_bf16_f32)
        case (.float32, .bfloat16): convert(call, ek_convert_f32_bf16)
        case (.float16, .float32): convert(call, ek_convert_f16_f32)
        case (.float32, .float16): convert(call, ek_convert_f32_f16)
        case (.bool, .float32): loop(call, Bool.self, Float.self)
        case (.int32, .float64): loop(call, Int32.self, Double.self)
        case (.int64, .float64): loop(call, Int64.self, Double.self)
        case (.bool, .float64): loop(call, Bool.self, Double.self)
        case (.float64, .int64): loop(call, Double.self, Int64.self)
        case (.float64, .int32): loop(call, Double.self, Int32.self)
        case (.float32, .int32): loop(call, Float.self, Int32.self)
        default: nil
        }
    }

    private func convert<A, B>(
        _ call: KernelCall,
        _ function: @escaping (UnsafePointer<A>?, UnsafeMutablePointer<B>?, Int) -> Void
    ) -> Kernel {
        CastKernel(call) { x, y, n in
            function(
                UnsafePointer(x.assumingMemoryBound(to: A.self)), y.assumingMemoryBound(to: B.self),
                n)
        }
    }

    private func loop<A: Element, B: Element>(_ call: KernelCall, _: A.Type, _: B.Type) -> Kernel {
        CastKernel(call) { x, y, n in
            let source = x.assumingMemoryBound(to: A.self)
            let target = y.assumingMemoryBound(to: B.self)
            for index in 0..<n { target[index] = B.converting(source[index].doubleValue) }
        }
    }
}
