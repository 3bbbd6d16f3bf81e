import Arrays
import CKernels
import Graph

/// The sums of layer norm's backward pass, for every row and group.
final class GroupSumsKernel<T>: Kernel {
    private let loops: GroupLoops<T>
    private let dy, x, sum, centredSum: Operand
    private let operands: GroupOperands
    private let scratch: GroupPartials
    private let isSumWanted: Bool

    init(_ call: KernelCall, _ operation: GroupSums, _ loops: GroupLoops<T>) {
        self.loops = loops
        isSumWanted = call.wantedOutputs[0]
        (dy, x) = (call.inputs[0], call.inputs[1])
        (sum, centredSum) = (call.outputs[0], call.outputs[1])
        operands = GroupOperands(
            call, call.inputSpecs[1], axis: operation.axis, groups: operation.groups,
            operation.parts.positions(after: 2))
        scratch = GroupPartials(groups: call.groupCount, length: 3 * operands.view.channels)
    }

    override func run(_ task: ShardTask) {
        let (rows, view) = (operands.rows(task), operands.view)
        let count = rows * view.groups
        let (dy, x): (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) = (
            dy.pointer(task), x.pointer(task)
        )
        let sum: UnsafeMutablePointer<Double> = sum.pointer(task)
        let centredSum: UnsafeMutablePointer<Double> = centredSum.pointer(task)
        let mean = operands.mean(task)
        let sums = scratch[task.group]
        if operands.hasRuns, view.groups == 1 || !operands.hasParameters {
            loops.rowSums(
                dy, x, count, operands.runLength, view.inner, mean, nil,
                operands.narrowParameters(task).gamma, isSumWanted ? sum : nil, centredSum, nil,
                nil, operands.isFar)
            return
        }
        let gamma = operands.gamma(task)
        let means = sums + 2 * view.channels
        for row in 0..<rows {
            operands.expand(mean, row: row, to: means)
            sums.update(repeating: 0, count: 2 * view.channels)
            let offset = row * view.elementsPerRow
            loops.sums(
                dy + offset, x + offset, view.positions, view.channels, view.inner, means,
                nil, nil, nil, EK_IDENTITY, 0, nil, 0, sums)
            for group in 0..<view.groups {
                var (first, second) = (0.0, 0.0)
                for channel
                    in (group * view.channelsPerGroup)..<((group + 1) * view.channelsPerGroup)
                {
                    let factor = gamma?[channel] ?? 1
                    first += sums[channel] * factor
                    second += sums[view.channels + channel] * factor
                }
                sum[row * view.groups + group] = first
                centredSum[row * view.groups + group] = second
            }
        }
    }
}

/// The gradients of gamma and beta, over all rows.
final class GroupParameterSumsKernel<T>: Kernel {
    private let loops: GroupLoops<T>
    private let dy, x: Operand
    private let outputs: [Operand]
    private let operands: GroupOperands
    private let partials: GroupPartials
    private let scratch: GroupPartials
    private let isBetaWanted: Bool

    init(_ call: KernelCall, _ operation: GroupParameterSums, _ loops: GroupLoops<T>) {
        self.loops = loops
        isBetaWanted = call.wantedOutputs[1]
        (dy, x) = (call.inputs[0], call.inputs[1])
        outputs = call.outputs
        operands = GroupOperands(
            call, call.inputSpecs[1], axis: operation.axis, groups: operation.groups,
            operation.parts.positions(after: 2))
        partials = GroupPartials(groups: call.groupCount, length: 2 * operands.view.channels)
        scratch = GroupPartials(groups: call.groupCount, length: 3 * operands.view.channels)
    }

    override func run(_ task: ShardTask) {
        let (rows, view) = (operands.rows(task), operands.view)
        let (dy, x): (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) = (
            dy.pointer(task), x.pointer(task)
        )
        let total = partials.opened(task)
        let (mean, scale) = (operands.mean(task), operands.scale(task))
        if operands.hasRuns, view.groups == 1, !operands.hasShift {
            loops.rowSums(
                dy, x, rows, operands.runLength, view.inner, mean, scale, nil, nil, nil, total,
                isBetaWanted ? total + view.channels : nil, 0)
            return
        }
        let shift = operands.shift(task)
        let sums = scratch[task.group]
        let means = sums + 2 * view.channels
        for row in 0..<rows {
            operands.expand(mean, row: row, to: means)
            sums.update(repeating: 0, count: 2 * view.channels)
            let offset = row * view.elementsPerRow
            loops.sums(
                dy + offset, x + offset, view.positions, view.channels, view.inner, means,
                nil, nil, nil, EK_IDENTITY, 0, nil, 0, sums)
            for channel in 0..<view.channels {
                let statistic = row * view.groups + channel / view.channelsPerGroup
                total[channel] +=
                    scale[statistic] * sums[view.channels + channel]
                    + shift[statistic] * sums[channel]
                total[view.channels + channel] += sums[channel]
            }
        }
    }

    override func finish(_ task: ShardTask) {
        partials.addInTree()
        let channels = operands.view.channels
        for (index, output) in outputs.enumerated() {
            output.pointer(task, as: Double.self).update(
                from: partials[0] + index * channels, count: channels)
        }
    }
}

/// `a * gamma * dy + b * (x - mean) + c` for every row and group.
final class GroupInputGradientKernel<T>: Kernel {
    private let loops: GroupLoops<T>
    private let dy, x, a, dx: Operand
    private let operands: GroupOperands
    private let expanded: GroupPartials
    private let stream: Int32
    private let fallback: ReferenceRowsKernel

    init(_ call: KernelCall, _ operation: GroupInputGradient, _ loops: GroupLoops<T>) {
        self.loops = loops
        (dy, x, a) = (call.inputs[0], call.inputs[1], call.inputs[2])
        dx = call.outputs[0]
        operands = GroupOperands(
            call, call.inputSpecs[1], axis: operation.axis, groups: operation.groups,
            operation.parts.positions(after: 3))
        expanded = GroupPartials(groups: call.groupCount, length: 4 * operands.view.channels)
        fallback = ReferenceRowsKernel(fallbackFor: call)
        stream = call.streams ? 1 : 0
    }

    override func run(_ task: ShardTask) {
        let (rows, view) = (operands.rows(task), operands.view)
        let (dy, x): (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) = (
            dy.pointer(task), x.pointer(task)
        )
        let dx: UnsafeMutablePointer<T> = dx.pointer(task)
        let a = UnsafePointer(a.pointer(task, as: Double.self))
        let (mean, b, c) = (operands.mean(task), operands.scale(task), operands.shift(task))
        if ReferenceRowsKernel.isExtreme(b, count: rows * view.groups) {
            fallback.run(task)
            return
        }
        if operands.hasRuns, view.groups == 1 || !operands.hasParameters {
            loops.rowInputGradient(
                dy, x, rows * view.groups, operands.runLength, view.inner, mean,
                operands.narrowParameters(task).gamma, a, b, c, dx,
                stream == 0 ? operands.isFar : EK_PAST_CACHES)
            return
        }
        let gamma = operands.gamma(task)
        let means = expanded[task.group]
        let (first, second) = (means + view.channels, means + 2 * view.channels)
        let third = means + 3 * view.channels
        for row in 0..<rows {
            operands.expand(mean, row: row, to: means)
            operands.expand(a, row: row, to: first)
            operands.expand(b, row: row, to: second)
            operands.expand(c, row: row, to: third)
            if let gamma { for channel in 0..<view.channels { first[channel] *= gamma[channel] } }
            let offset = row * view.elementsPerRow
            loops.inputGradient(
                dy + offset, x + offset, view.positions, view.channels, view.inner, means, first,
                second, third, nil, nil, nil, EK_IDENTITY, 0, dx + offset, nil,
                stream == 0 ? EK_FAR : EK_PAST_CACHES)
        }
    }
}

extension GroupSums: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch call.inputSpecs[0].type {
        case .float32: GroupSumsKernel(call, self, GroupLoops.float32)
        case .bfloat16: GroupSumsKernel(call, self, GroupLoops.bfloat16)
        default: nil
        }
    }
}
extension GroupParameterSums: JoiningOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch call.inputSpecs[0].type {
        case .float32: GroupParameterSumsKernel(call, self, GroupLoops.float32)
        case .bfloat16: GroupParameterSumsKernel(call, self, GroupLoops.bfloat16)
        default: nil
        }
    }

    /// A kernel that also takes the sums of rows and groups.
    func kernel(_ call: KernelCall, joining sums: KernelCall) -> Kernel? {
        guard let operation = sums.node.operation as? GroupSums else { return nil }
        return switch call.inputSpecs[0].type {
        case .float32: JoinedGroupSumsKernel(sums, operation, call, self, GroupLoops.float32)
        case .bfloat16: JoinedGroupSumsKernel(sums, operation, call, self, GroupLoops.bfloat16)
        default: nil
        }
    }
}
extension GroupInputGradient: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch call.inputSpecs[0].type {
        case .float32: GroupInputGradientKernel(call, self, GroupLoops.float32)
        case .bfloat16: GroupInputGradientKernel(call, self, GroupLoops.bfloat16)
        default: nil
        }
    }
}
