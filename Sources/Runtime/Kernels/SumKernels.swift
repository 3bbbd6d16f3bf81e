import Arrays
import CKernels
import Graph

/// A sum over everything but one block of adjacent axes, the rows included: merged over shards in double.
final class ChannelSumKernel: Kernel {
    private let x, y: Operand
    private let view: ShardView
    private let type: ElementType
    private let partials: GroupPartials

    init?(_ call: KernelCall, axes: [Int]) {
        let spec = call.inputSpecs[0]
        guard [.float32, .float64, .bfloat16].contains(spec.type) else { return nil }
        let kept = (0..<spec.shape.rank).filter { !axes.contains($0) && spec.shape[$0] != 1 }
        // Kept axes must be adjacent, but for those of extent 1.
        let block = kept.isEmpty ? 1..<1 : kept[0]..<(kept[kept.count - 1] + 1)
        guard block.lowerBound > 0, spec.shape.rank > 0,
            block.allSatisfy({ kept.contains($0) || spec.shape[$0] == 1 })
        else { return nil }
        let merged = Shape([
            spec.shape[..<block.lowerBound].reduce(1, *), spec.shape[block].reduce(1, *),
            spec.shape[block.upperBound...].reduce(1, *),
        ])
        x = call.inputs[0]
        y = call.outputs[0]
        view = ShardView(call, TensorSpec(merged, spec.type), axis: 1)
        type = spec.type
        partials = GroupPartials(groups: call.groupCount, length: view.channels)
    }

    override func run(_ task: ShardTask) {
        let sums = partials.opened(task)
        let outer = view.outerPerUnit * task.count
        if type == .float32 {
            ek_column_sums_f32(x.pointer(task), outer, view.channels, view.inner, sums)
            return
        }
        if type == .bfloat16 {
            ek_column_sums_bf16(x.pointer(task), outer, view.channels, view.inner, sums)
            return
        }
        let values: UnsafeMutablePointer<Double> = x.pointer(task)
        var offset = 0
        for _ in 0..<outer {
            for channel in 0..<view.channels {
                for _ in 0..<view.inner {
                    sums[channel] += values[offset]
                    offset += 1
                }
            }
        }
    }

    override func finish(_ task: ShardTask) {
        partials.addInTree()
        let sums = partials[0]
        switch type {
        case .float64: y.pointer(task, as: Double.self).update(from: sums, count: view.channels)
        case .bfloat16:
            let values: UnsafeMutablePointer<BFloat16> = y.pointer(task)
            for channel in 0..<view.channels { values[channel] = BFloat16(Float(sums[channel])) }
        default:
            let values: UnsafeMutablePointer<Float> = y.pointer(task)
            for channel in 0..<view.channels { values[channel] = Float(sums[channel]) }
        }
    }
}

/// A sum over the last axes, row by row.
final class RowSumKernel: Kernel {
    private let x, y: Operand
    private let length: Int
    private let rowsPerUnit: Int

    init?(_ call: KernelCall, axes: [Int]) {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32, let first = axes.first, axes == Array(first..<spec.shape.rank)
        else { return nil }
        x = call.inputs[0]
        y = call.outputs[0]
        length = spec.shape[first...].reduce(1, *)
        rowsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
    }

    override func run(_ task: ShardTask) {
        let values: UnsafeMutablePointer<Float> = x.pointer(task)
        let sums: UnsafeMutablePointer<Float> = y.pointer(task)
        for row in 0..<(rowsPerUnit * task.count) {
            sums[row] = Float(ek_sum_f32(values + row * length, length))
        }
    }
}

extension Sum: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        axes.contains(0) ? ChannelSumKernel(call, axes: axes) : RowSumKernel(call, axes: axes)
    }
}
