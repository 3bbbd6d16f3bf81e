import Arrays
import CKernels
import Graph

/// A gradient behind a ReLU with the sums that are taken of it, in one pass; see ``GatedSums``.
final class GatedSumsKernel: Kernel {
    /// Which sums, and where they go.
    private enum Totals {
        case plain(ChannelTotals)
        case centred(CentredTotals)
    }

    private let dy, gate, y: Operand
    private let added: Operand?
    private let totals: Totals
    private let isBFloat16: Bool

    /// - Parameters:
    ///   - call: that of the sums; its first input is what the pass stores.
    ///   - terms: the gradient, or the two whose sum it is.
    ///   - gate: the output of the ReLU.
    init(_ call: KernelCall, terms: [Operand], gate: Operand) {
        dy = terms[0]
        added = terms.count > 1 ? terms[1] : nil
        self.gate = gate
        y = call.inputs[0]
        isBFloat16 = call.inputSpecs[0].type == .bfloat16
        switch call.node.operation {
        case let operation as CentredSums: totals = .centred(CentredTotals(call, operation))
        case let operation as Sum: totals = .plain(ChannelTotals(call, axes: operation.axes)!)
        default: preconditionFailure("\(call.node.operation.name) is no sum per channel")
        }
    }

    override func run(_ task: ShardTask) {
        switch totals {
        case .plain(let plain):
            run(task, plain.view, x: nil, mean: nil, plain.partials.opened(task))
        case .centred(let centred):
            run(
                task, centred.view, x: centred.x, mean: centred.parts.mean(task),
                centred.partials.opened(task))
        }
    }

    private func run(
        _ task: ShardTask, _ view: ShardView, x: Operand?, mean: UnsafePointer<Double>?,
        _ sums: UnsafeMutablePointer<Double>
    ) {
        let outer = view.outerPerUnit * task.count
        if isBFloat16 {
            ek_gated_sums_bf16(
                dy.pointer(task), added?.pointer(task), gate.pointer(task), x?.pointer(task),
                outer, view.channels, view.inner, mean, y.pointer(task), sums)
        } else {
            ek_gated_sums_f32(
                dy.pointer(task), added?.pointer(task), gate.pointer(task), x?.pointer(task),
                outer, view.channels, view.inner, mean, y.pointer(task), sums)
        }
    }

    override func finish(_ task: ShardTask) {
        switch totals {
        case .plain(let plain): plain.finish(task)
        case .centred(let centred): centred.finish(task)
        }
    }
}
