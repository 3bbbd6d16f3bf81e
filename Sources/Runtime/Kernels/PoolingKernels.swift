import Arrays
import CKernels
import Graph

/// The windows of a pooling as the C kernels take them.
private final class WindowTable {
    let table: UnsafeMutablePointer<ek_windows>
    private let positions: UnsafeMutableBufferPointer<Int32>

    init(_ windows: PoolWindows, _ image: Shape) {
        // Leading axes that are missing have one position.
        let missing = 3 - windows.axes.count
        let axes = Array(repeating: [0..<1], count: missing) + windows.axes
        let inputs = Array(repeating: 1, count: missing) + image.dropFirst().dropLast()
        positions = .allocate(capacity: axes.reduce(0) { $0 + 2 * $1.count })
        var next = positions.baseAddress!
        func store(_ numbers: [Int]) -> UnsafePointer<Int32> {
            let start = next
            for number in numbers {
                next.initialize(to: Int32(number))
                next += 1
            }
            return UnsafePointer(start)
        }
        let starts = axes.map { store($0.map(\.lowerBound)) }
        let ends = axes.map { store($0.map(\.upperBound)) }
        table = .allocate(capacity: 1)
        table.initialize(
            to: ek_windows(
                inputs: (inputs[0], inputs[1], inputs[2]),
                outputs: (axes[0].count, axes[1].count, axes[2].count),
                starts: (starts[0], starts[1], starts[2]), ends: (ends[0], ends[1], ends[2])))
    }

    deinit {
        table.deallocate()
        positions.deallocate()
    }
}

/// Max pooling, its gradient, and the selection by it: two inputs, one output.
private final class MaxPoolKernel<Element>: Kernel {
    typealias Body = (
        UnsafePointer<Element>, UnsafePointer<Element>, Int, UnsafePointer<ek_windows>, Int,
        UnsafeMutablePointer<Element>
    ) -> Void

    private let x, other, y: Operand
    private let samplesPerUnit, channels: Int
    private let windows: WindowTable
    private let body: Body

    init(_ call: KernelCall, _ windows: PoolWindows, _ body: @escaping Body) {
        let image = call.inputSpecs[0]
        (x, other, y) = (call.inputs[0], call.inputs[call.inputs.count - 1], call.outputs[0])
        samplesPerUnit = call.rowsPerUnit(image)
        channels = image.shape[image.shape.rank - 1]
        self.windows = WindowTable(windows, image.shape)
        self.body = body
    }

    override func run(_ task: ShardTask) {
        body(
            x.pointer(task), other.pointer(task), samplesPerUnit * task.count, windows.table,
            channels, y.pointer(task))
    }
}

private func maxPoolKernel(
    _ call: KernelCall, _ windows: PoolWindows, _ single: @escaping MaxPoolKernel<Float>.Body,
    _ half: @escaping MaxPoolKernel<UInt16>.Body
) -> Kernel? {
    switch call.outputSpecs[0].type {
    case .float32: MaxPoolKernel<Float>(call, windows, single)
    case .bfloat16: MaxPoolKernel<UInt16>(call, windows, half)
    default: nil
    }
}

extension MaxPool: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        maxPoolKernel(call, windows, ek_max_pool_f32, ek_max_pool_bf16)
    }
}

extension MaxPoolSelection: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        maxPoolKernel(call, windows, ek_max_pool_f32, ek_max_pool_bf16)
    }
}

extension MaxPoolGradient: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        maxPoolKernel(call, windows, ek_max_pool_gradient_f32, ek_max_pool_gradient_bf16)
    }
}

/// Weighted sums along an axis.
final class AxisMapKernel: Kernel {
    private let x, y: Operand
    private let outerPerUnit, inputs, outputs, inner: Int
    private let isBFloat16: Bool
    private let indices: UnsafeMutableBufferPointer<Int32>
    private let weights: UnsafeMutableBufferPointer<Float>

    init?(_ call: KernelCall, _ map: AxisMap) {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32 || spec.type == .bfloat16 else { return nil }
        (x, y) = (call.inputs[0], call.outputs[0])
        isBFloat16 = spec.type == .bfloat16
        inputs = map.extent
        outputs = map.outputExtent
        inner = spec.shape[(map.axis + 1)...].reduce(1, *)
        let outer = spec.shape[..<map.axis].reduce(1, *)
        outerPerUnit = call.units.map { $0.count > 0 ? outer / $0.count : 0 } ?? outer
        indices = .allocate(capacity: map.bounds.count + map.taps.count)
        _ = indices.initialize(
            from: map.bounds.map(Int32.init) + map.taps.map { Int32($0.source) })
        weights = .allocate(capacity: map.taps.count)
        _ = weights.initialize(from: map.taps.map { Float($0.weight) })
    }

    deinit {
        indices.deallocate()
        weights.deallocate()
    }

    override func run(_ task: ShardTask) {
        let outer = outerPerUnit * task.count
        let (firsts, sources) = (indices.baseAddress!, indices.baseAddress! + outputs + 1)
        if isBFloat16 {
            ek_axis_map_bf16(
                x.pointer(task), outer, inputs, outputs, inner, firsts, sources,
                weights.baseAddress, y.pointer(task))
        } else {
            ek_axis_map_f32(
                x.pointer(task), outer, inputs, outputs, inner, firsts, sources,
                weights.baseAddress, y.pointer(task))
        }
    }
}

extension AxisMap: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { AxisMapKernel(call, self) }
}
