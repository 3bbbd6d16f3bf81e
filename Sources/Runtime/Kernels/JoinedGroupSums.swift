import Arrays
import CKernels
import Graph

/// The sums of layer norm's backward pass and those for gamma and beta, from one pass over `dy` and `x`:
/// both are made of the sums per row and channel.
final class JoinedGroupSumsKernel<T>: Kernel {
    private let loops: GroupLoops<T>
    private let dy, x, sum, centredSum: Operand
    private let outputs: [Operand]
    private let rowOperands, parameterOperands: GroupOperands
    private let partials: GroupPartials
    private let scratch: GroupPartials
    private let isSumWanted, isBetaWanted: Bool

    init(
        _ sums: KernelCall, _ operation: GroupSums, _ parameters: KernelCall,
        _ other: GroupParameterSums, _ loops: GroupLoops<T>
    ) {
        self.loops = loops
        (dy, x) = (sums.inputs[0], sums.inputs[1])
        (sum, centredSum) = (sums.outputs[0], sums.outputs[1])
        outputs = parameters.outputs
        (isSumWanted, isBetaWanted) = (sums.wantedOutputs[0], parameters.wantedOutputs[1])
        rowOperands = GroupOperands(
            sums, sums.inputSpecs[1], axis: operation.axis, groups: operation.groups,
            operation.parts.positions(after: 2))
        parameterOperands = GroupOperands(
            parameters, parameters.inputSpecs[1], axis: other.axis, groups: other.groups,
            other.parts.positions(after: 2))
        let view = rowOperands.view
        partials = GroupPartials(groups: sums.groupCount, length: 2 * view.channels)
        scratch = GroupPartials(groups: sums.groupCount, length: 3 * view.channels)
    }

    override func run(_ task: ShardTask) {
        let (rows, view) = (rowOperands.rows(task), rowOperands.view)
        let (dy, x): (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) = (
            dy.pointer(task), x.pointer(task)
        )
        let first: UnsafeMutablePointer<Double> = sum.pointer(task)
        let second: UnsafeMutablePointer<Double> = centredSum.pointer(task)
        let total = partials.opened(task)
        let mean = rowOperands.mean(task)
        if rowOperands.hasRuns, view.groups == 1, !parameterOperands.hasShift {
            loops.rowSums(
                dy, x, rows, rowOperands.runLength, view.inner, mean, parameterOperands.scale(task),
                rowOperands.narrowParameters(task).gamma, isSumWanted ? first : nil, second, total,
                isBetaWanted ? total + view.channels : nil, rowOperands.isFar)
            return
        }
        let gamma = rowOperands.gamma(task)
        let (scale, shift) = (parameterOperands.scale(task), parameterOperands.shift(task))
        let sums = scratch[task.group]
        let centredSums = sums + view.channels
        let means = sums + 2 * view.channels
        for row in 0..<rows {
            rowOperands.expand(mean, row: row, to: means)
            sums.update(repeating: 0, count: 2 * view.channels)
            let offset = row * view.elementsPerRow
            loops.sums(
                dy + offset, x + offset, view.positions, view.channels, view.inner, means,
                nil, nil, nil, EK_IDENTITY, 0, nil, 0, sums)
            var channel = 0
            for statistic in (row * view.groups)..<((row + 1) * view.groups) {
                var (ofGroup, centred) = (0.0, 0.0)
                for _ in 0..<view.channelsPerGroup {
                    let factor = gamma?[channel] ?? 1
                    ofGroup += sums[channel] * factor
                    centred += centredSums[channel] * factor
                    total[channel] +=
                        scale[statistic] * centredSums[channel] + shift[statistic] * sums[channel]
                    total[view.channels + channel] += sums[channel]
                    channel += 1
                }
                first[statistic] = ofGroup
                second[statistic] = centred
            }
        }
    }

    override func finish(_ task: ShardTask) {
        partials.addInTree()
        let channels = rowOperands.view.channels
        for (index, output) in outputs.enumerated() {
            output.pointer(task, as: Double.self).update(
                from: partials[0] + index * channels, count: channels)
        }
    }
}
