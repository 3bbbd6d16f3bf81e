import Arrays
import CKernels
import Graph

/// What the kernels of EvoNorm-B0 know of a shard, and the channels' numbers of one sample as its loops
/// take them.
private struct EvoNormOperands {
    let view: GroupView
    private let rowsPerUnit: Int
    private let batch, slope, sample, gamma: Operand
    private let beta: Operand?

    /// Vectors of floats in a kernel's workspace.
    private static let vectorCount = 9

    /// - Parameter first: where b is among the inputs, followed by v, s and gamma.
    init(_ call: KernelCall, axis: Int, first: Int, hasBeta: Bool = false) {
        let spec = call.inputSpecs[0]
        view = GroupView(spec.shape, axis: axis, groups: spec.shape[axis])
        rowsPerUnit = call.rowsPerUnit(spec)
        (batch, slope) = (call.inputs[first], call.inputs[first + 1])
        (sample, gamma) = (call.inputs[first + 2], call.inputs[first + 3])
        beta = hasBeta ? call.inputs[first + 4] : nil
    }

    var workspaceBytes: Int {
        Self.vectorCount * view.channels * ElementType.float32.byteCount
    }

    /// One of the vectors.
    func vector(_ index: Int, _ task: ShardTask) -> UnsafeMutablePointer<Float> {
        task.workspace.assumingMemoryBound(to: Float.self) + index * view.channels
    }

    /// Calls for each sample with its place among the shard's and its channels' numbers; those of moments
    /// are up to the caller.
    @inline(__always)
    func forEachSample(
        _ task: ShardTask, _ body: (_ row: Int, _ numbers: inout ek_evonorm) -> Void
    ) {
        let channels = view.channels
        func narrowed(_ operand: Operand, _ index: Int, row: Int = 0) -> UnsafePointer<Float> {
            let target = vector(index, task)
            ek_convert_f64_f32(
                operand.pointer(task, as: Double.self) + row * channels, target, channels)
            return UnsafePointer(target)
        }
        var numbers = ek_evonorm()
        numbers.batch = narrowed(batch, 0)
        numbers.slope = narrowed(slope, 1)
        numbers.gamma = narrowed(gamma, 2)
        numbers.beta = beta.map { narrowed($0, 3) }
        for row in 0..<(rowsPerUnit * task.count) {
            numbers.sample = narrowed(sample, 4, row: row)
            // The larger of a number and NaN is NaN.
            for channel in 0..<channels where numbers.batch[channel].isNaN {
                vector(4, task)[channel] = .nan
            }
            body(row, &numbers)
        }
    }
}

final class EvoNormScaleKernel: Kernel {
    private let x, y: Operand
    private let operands: EvoNormOperands

    init(_ call: KernelCall, axis: Int) {
        (x, y) = (call.inputs[0], call.outputs[0])
        operands = EvoNormOperands(call, axis: axis, first: 1, hasBeta: true)
    }

    override var workspaceBytes: Int { operands.workspaceBytes }

    override func run(_ task: ShardTask) {
        let view = operands.view
        operands.forEachSample(task) { row, numbers in
            let offset = row * view.elementsPerRow
            ek_evonorm_scale_f32(
                x.pointer(task) + offset, view.positions, view.channels, view.inner, &numbers,
                y.pointer(task) + offset)
        }
    }
}

final class EvoNormSumsKernel: Kernel {
    private let dy, x: Operand
    private let outputs: [Operand]
    private let operands: EvoNormOperands
    private let sums: GroupPartials

    init(_ call: KernelCall, axis: Int) {
        (dy, x) = (call.inputs[0], call.inputs[1])
        outputs = call.outputs
        operands = EvoNormOperands(call, axis: axis, first: 2)
        sums = GroupPartials(groups: call.groupCount, length: 5 * operands.view.channels)
    }

    override var workspaceBytes: Int { operands.workspaceBytes }

    override func run(_ task: ShardTask) {
        let view = operands.view
        let sums = sums[task.group]
        operands.forEachSample(task) { row, numbers in
            let offset = row * view.elementsPerRow
            sums.update(repeating: 0, count: 5 * view.channels)
            ek_evonorm_sums_f32(
                dy.pointer(task) + offset, x.pointer(task) + offset, view.positions, view.channels,
                view.inner, &numbers, sums)
            for index in outputs.indices {
                (outputs[index].pointer(task, as: Double.self) + row * view.channels).update(
                    from: sums + index * view.channels, count: view.channels)
            }
        }
    }
}

final class EvoNormInputGradientKernel: Kernel {
    private let dy, x, dx: Operand
    private let operands: EvoNormOperands
    /// Mean, low, scale and shift per channel; mean, low and scale per sample and channel.
    private let moments: [Operand]
    private let fallback: ReferenceRowsKernel

    init(_ call: KernelCall, _ operation: EvoNormInputGradient) {
        (dy, x, dx) = (call.inputs[0], call.inputs[1], call.outputs[0])
        operands = EvoNormOperands(call, axis: operation.axis, first: 2)
        moments = Array(call.inputs[6...])
        fallback = ReferenceRowsKernel(fallbackFor: call)
    }

    override var workspaceBytes: Int { operands.workspaceBytes }

    override func run(_ task: ShardTask) {
        let view = operands.view
        var isExtreme = false
        operands.forEachSample(task) { row, numbers in
            if !moments.isEmpty { isExtreme = !join(&numbers, row, task) || isExtreme }
            let offset = row * view.elementsPerRow
            ek_evonorm_input_gradient_f32(
                dy.pointer(task) + offset, x.pointer(task) + offset, view.positions, view.channels,
                view.inner, &numbers, dx.pointer(task) + offset)
        }
        if isExtreme { fallback.run(task) }
    }

    /// Makes one line of the two through the moments, about the sample's mean. False where its slope leaves
    /// float32's range.
    private func join(_ numbers: inout ek_evonorm, _ row: Int, _ task: ShardTask) -> Bool {
        let channels = operands.view.channels
        func values(_ index: Int, row: Int = 0) -> UnsafePointer<Double> {
            UnsafePointer(moments[index].pointer(task, as: Double.self) + row * channels)
        }
        let (mean, low, scale, shift) = (values(0), values(1), values(2), values(3))
        let (ownMean, ownLow) = (values(4, row: row), values(5, row: row))
        let ownScale = values(6, row: row)
        let (high, rest) = (operands.vector(5, task), operands.vector(6, task))
        let (factor, offset) = (operands.vector(7, task), operands.vector(8, task))
        for channel in 0..<channels {
            let centre = ownMean[channel]
            high[channel] = Float(centre)
            rest[channel] = Float((centre - Double(high[channel])) + ownLow[channel])
            factor[channel] = Float(scale[channel] + ownScale[channel])
            let distance = (centre - mean[channel]) + (ownLow[channel] - low[channel])
            offset[channel] = Float(distance * scale[channel] + shift[channel])
        }
        numbers.high = UnsafePointer(high)
        numbers.low = UnsafePointer(rest)
        numbers.factor = UnsafePointer(factor)
        numbers.shift = UnsafePointer(offset)
        return !ReferenceRowsKernel.isExtreme(scale, count: channels)
            && !ReferenceRowsKernel.isExtreme(ownScale, count: channels)
    }
}

extension EvoNormScale: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        call.inputSpecs[0].type == .float32 ? EvoNormScaleKernel(call, axis: axis) : nil
    }
}
extension EvoNormSums: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        call.inputSpecs[1].type == .float32 ? EvoNormSumsKernel(call, axis: axis) : nil
    }
}
extension EvoNormInputGradient: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        call.inputSpecs[1].type == .float32 ? EvoNormInputGradientKernel(call, self) : nil
    }
}
