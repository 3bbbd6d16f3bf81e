import Arrays
import CKernels
import Graph

/// A sum over everything but one block of adjacent axes, the rows included: merged over shards in double.
final class ChannelSumKernel: Kernel {
    private let x: Operand
    private let totals: ChannelTotals
    private let type: ElementType

    init?(_ call: KernelCall, axes: [Int]) {
        let spec = call.inputSpecs[0]
        guard [.float32, .float64, .bfloat16].contains(spec.type),
            let totals = ChannelTotals(call, axes: axes)
        else { return nil }
        x = call.inputs[0]
        type = spec.type
        self.totals = totals
    }

    override func run(_ task: ShardTask) {
        let view = totals.view
        let sums = totals.partials.opened(task)
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

    override func finish(_ task: ShardTask) { totals.finish(task) }
}

/// A sum per channel, over the rows and everything but one block of adjacent axes: each group's part, and
/// how they become the result.
final class ChannelTotals {
    let view: ShardView
    let partials: GroupPartials
    private let y: Operand
    private let type: ElementType

    /// The extents as `[outer, channels, inner]`; nil where the axes that are kept are no block.
    static func view(_ shape: Shape, axes: [Int]) -> Shape? {
        shape.rank > 0 && axes.contains(0) ? shape.mergedAroundKept(axes, orAfter: 1) : nil
    }

    /// Nil where the axes that are kept are no block.
    init?(_ call: KernelCall, axes: [Int]) {
        let spec = call.inputSpecs[0]
        guard let merged = Self.view(spec.shape, axes: axes) else { return nil }
        view = ShardView(call, TensorSpec(merged, spec.type), axis: 1)
        partials = GroupPartials(groups: call.groupCount, length: view.channels)
        y = call.outputs[0]
        type = call.outputSpecs[0].type
    }

    func finish(_ task: ShardTask) {
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

/// A sum over everything but the rows and one block of adjacent axes, row by row.
final class RowSumKernel: Kernel {
    private let x, y: Operand
    private let rowsPerUnit: Int
    private let view: ChannelView
    private let sums: GroupPartials

    init?(_ call: KernelCall, axes: [Int]) {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32, spec.shape.rank > 0,
            let merged = Shape(Array(spec.shape.dropFirst())).mergedAroundKept(axes.map { $0 - 1 })
        else { return nil }
        (x, y) = (call.inputs[0], call.outputs[0])
        rowsPerUnit = call.rowsPerUnit(spec)
        view = ChannelView(merged, axis: 1)
        sums = GroupPartials(groups: call.groupCount, length: view.channels)
    }

    override func run(_ task: ShardTask) {
        let values: UnsafeMutablePointer<Float> = x.pointer(task)
        let results: UnsafeMutablePointer<Float> = y.pointer(task)
        let length = view.outer * view.channels * view.inner
        let sums = sums[task.group]
        for row in 0..<(rowsPerUnit * task.count) {
            let target = results + row * view.channels
            if view.outer == 1 {
                for channel in 0..<view.channels {
                    target[channel] = Float(
                        ek_sum_f32(values + row * length + channel * view.inner, view.inner))
                }
                continue
            }
            sums.update(repeating: 0, count: view.channels)
            ek_column_sums_f32(values + row * length, view.outer, view.channels, view.inner, sums)
            for channel in 0..<view.channels { target[channel] = Float(sums[channel]) }
        }
    }
}

extension Shape {
    /// The extents as `[before, kept, after]` when all axes but the given are adjacent (those of extent 1
    /// may be anywhere); nil otherwise. Where none is kept, so many axes come before.
    fileprivate func mergedAroundKept(_ summed: [Int], orAfter position: Int = 0) -> Shape? {
        let kept = (0..<rank).filter { !summed.contains($0) && self[$0] != 1 }
        let block = kept.isEmpty ? position..<position : kept[0]..<(kept[kept.count - 1] + 1)
        guard block.allSatisfy({ kept.contains($0) || self[$0] == 1 }) else { return nil }
        return Shape([
            self[..<block.lowerBound].reduce(1, *), self[block].reduce(1, *),
            self[block.upperBound...].reduce(1, *),
        ])
    }
}

extension Sum: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        axes.contains(0) ? ChannelSumKernel(call, axes: axes) : RowSumKernel(call, axes: axes)
    }
}
