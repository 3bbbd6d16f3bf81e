import Arrays
import CKernels
import Graph

/// Mean and variance of every row and group.
final class GroupMomentsKernel<T>: Kernel {
    private let loops: GroupLoops<T>
    private let x: Operand
    private let outputs: [Operand]
    private let operands: GroupOperands
    private let isCentred: Bool
    private let states: GroupPartials

    init(_ call: KernelCall, _ operation: GroupMoments, _ loops: GroupLoops<T>) {
        self.loops = loops
        x = call.inputs[0]
        outputs = call.outputs
        operands = GroupOperands(
            call, call.inputSpecs[0], axis: operation.axis, groups: operation.groups,
            GroupParts().positions(after: 1))
        isCentred = operation.isCentred
        states = GroupPartials(
            groups: call.groupCount, length: 1 + 2 * operands.view.channels)
    }

    override func run(_ task: ShardTask) {
        let rows = operands.rows(task)
        let view = operands.view
        let count = rows * view.groups
        let x: UnsafeMutablePointer<T> = x.pointer(task)
        let last: UnsafeMutablePointer<Double> = outputs[outputs.count - 1].pointer(task)
        if isCentred {
            let mean: UnsafeMutablePointer<Double> = outputs[0].pointer(task)
            outputs[1].pointer(task, as: Double.self).update(repeating: 0, count: count)
            if operands.hasRuns {
                loops.rowMoments(x, count, operands.runLength, mean, last, operands.isFar)
            } else {
                forEachGroup(x, rows, task) {
                    mean[$0] = $1; last[$0] = $2
                }
            }
        } else if operands.hasRuns {
            loops.rowSquares(x, count, operands.runLength, last, operands.isFar)
        } else {
            let values = Double(view.valuesPerGroup)
            forEachGroup(x, rows, task) { last[$0] = $2 + values * $1 * $1 }
        }
        let values = Double(max(view.valuesPerGroup, 1))
        for index in 0..<count { last[index] /= values }
    }

    /// Calls with the mean and the sum of squared distances of each group: those of its channels, merged.
    private func forEachGroup(
        _ x: UnsafePointer<T>, _ rows: Int, _ task: ShardTask,
        _ body: (_ statistic: Int, _ mean: Double, _ squares: Double) -> Void
    ) {
        let view = operands.view
        let state = states[task.group]
        let (size, count) = (view.channelsPerGroup, Double(view.positions * view.inner))
        for row in 0..<rows {
            state.update(repeating: 0, count: 1 + 2 * view.channels)
            loops.moments(
                x + row * view.elementsPerRow, nil, view.positions, view.channels, view.inner,
                state)
            for group in 0..<view.groups {
                let means = state + 1 + group * size
                let squares = means + view.channels
                // From one of them on, so that equal means have exactly their value as mean.
                var distance = 0.0
                for channel in 0..<size { distance += means[channel] - means[0] }
                let mean = means[0] + distance / Double(size)
                var sum = 0.0
                for channel in 0..<size {
                    let delta = means[channel] - mean
                    sum += squares[channel] + count * delta * delta
                }
                body(row * view.groups + group, mean, sum)
            }
        }
    }
}

/// Centres, scales and shifts every row and group, with gamma and beta per channel.
final class GroupScaleKernel<T>: Kernel {
    private let loops: GroupLoops<T>
    private let x, y: Operand
    private let operands: GroupOperands
    private let expanded: GroupPartials
    private let stream: Int32
    private let fallback: ReferenceRowsKernel

    init(_ call: KernelCall, _ operation: GroupScale, _ loops: GroupLoops<T>) {
        self.loops = loops
        x = call.inputs[0]
        y = call.outputs[0]
        operands = GroupOperands(
            call, call.inputSpecs[0], axis: operation.axis, groups: operation.groups,
            operation.parts.positions(after: 1))
        expanded = GroupPartials(groups: call.groupCount, length: 3 * operands.view.channels)
        stream = call.streams ? 1 : 0
        fallback = ReferenceRowsKernel(fallbackFor: call)
    }

    override func run(_ task: ShardTask) {
        let (rows, view) = (operands.rows(task), operands.view)
        let x: UnsafeMutablePointer<T> = x.pointer(task)
        let y: UnsafeMutablePointer<T> = y.pointer(task)
        let (mean, scale) = (operands.mean(task), operands.scale(task))
        if ReferenceRowsKernel.isExtreme(scale, count: rows * view.groups) {
            fallback.run(task)
            return
        }
        if operands.hasRuns, view.groups == 1, !operands.hasShift {
            let (gamma, beta) = operands.narrowParameters(task)
            loops.rowScale(
                x, rows, operands.runLength, view.inner, mean, scale, gamma, beta, y,
                stream == 0 ? operands.isFar : EK_PAST_CACHES)
            return
        }
        let shift = operands.shift(task)
        if operands.hasRuns, !operands.hasParameters {
            loops.scale(
                x, 1, rows * view.groups, operands.runLength, mean, scale, shift, nil,
                EK_IDENTITY, 0, y, stream)
            return
        }
        let (gamma, beta) = (operands.gamma(task), operands.beta(task))
        let means = expanded[task.group]
        let (scales, shifts) = (means + view.channels, means + 2 * view.channels)
        for row in 0..<rows {
            operands.expand(mean, row: row, to: means)
            operands.expand(scale, row: row, to: scales)
            operands.expand(shift, row: row, to: shifts)
            for channel in 0..<view.channels {
                let factor = gamma?[channel] ?? 1
                scales[channel] *= factor
                shifts[channel] = shifts[channel] * factor + (beta?[channel] ?? 0)
            }
            let offset = row * view.elementsPerRow
            loops.scale(
                x + offset, view.positions, view.channels, view.inner, means, scales, shifts, nil,
                EK_IDENTITY, 0, y + offset, stream)
        }
    }
}

extension GroupMoments: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch call.inputSpecs[0].type {
        case .float32: GroupMomentsKernel(call, self, GroupLoops.float32)
        case .bfloat16: GroupMomentsKernel(call, self, GroupLoops.bfloat16)
        default: nil
        }
    }
}
extension GroupScale: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        switch call.inputSpecs[0].type {
        case .float32: GroupScaleKernel(call, self, GroupLoops.float32)
        case .bfloat16: GroupScaleKernel(call, self, GroupLoops.bfloat16)
        default: nil
        }
    }
}
extension StopGradient: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { CopyKernel(call) }
}
