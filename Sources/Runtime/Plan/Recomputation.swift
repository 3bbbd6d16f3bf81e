import Arrays
import Graph

/// Recompute instead of store: what is cheap to compute again from something that is kept anyway, such as
/// normalize + activation from a convolution's raw output, is computed again in the phases that read it
/// later, in cache, and not kept.
///
/// Works on a schedule: whether something would be kept at all depends on phases.
struct Recomputation {
    /// Smaller tensors are not worth another pass.
    static let smallestBytes = 256 << 10

    private let schedule: Schedule
    private var consumers: [Node: [Node]] = [:]
    private var roots: Set<Tensor> = []

    init(_ program: TracedStep) {
        schedule = Schedule(program)
        for node in schedule.nodes {
            for input in Set(node.inputs.map(schedule.base)) {
                consumers[input.node, default: []].append(node)
            }
        }
        roots = Set(program.roots.map(schedule.base))
    }

    /// The same step, with a node of its own for each later phase that reads a recomputed tensor.
    static func apply(to program: TracedStep) -> TracedStep {
        let recomputation = Recomputation(program)
        let chosen = Set(recomputation.schedule.nodes.filter(recomputation.isWorthRecomputing))
        guard !chosen.isEmpty else { return program }
        return program.mappingRoots { recomputation.rebuild($0, chosen) }
    }

    /// The output of a residual sum is kept: to make it again would need the sums of all blocks before.
    private func isCheap(_ node: Node) -> Bool {
        Schedule.isCheap(node.operation)
            && (node.operation as? CentredScale)?.parts.hasResidual != true
    }

    private func isWorthRecomputing(_ node: Node) -> Bool {
        guard isCheap(node), case .rows(let units) = schedule[node].mode,
            units.isBatch,
            node.outputs[0].byteCount >= Self.smallestBytes, !roots.contains(node.tensor)
        else { return false }
        let time = schedule[node].time
        let later = (consumers[node] ?? []).filter {
            schedule[$0].time > time && schedule[$0].mode != .alias
        }
        guard !later.isEmpty, later.allSatisfy({ schedule.readsOwnRows($0, of: node, units) })
        else { return false }
        // What it is made from must be kept until then anyway.
        return node.inputs.allSatisfy { input in
            let base = schedule.base(input).node
            guard case .rows = schedule[base].mode else { return true }
            return (consumers[base] ?? []).contains { reader in
                reader != node && schedule[reader].time >= later.map { schedule[$0].time }.max()!
            }
        }
    }

    private func rebuild(_ roots: [Tensor], _ chosen: Set<Node>) -> [Tensor] {
        var results: [Node: Node] = [:]
        var again: [Node: [Int: Node]] = [:]
        for node in schedule.nodes {
            let time = schedule[node].time
            let inputs = node.inputs.map { input -> Tensor in
                guard chosen.contains(input.node), time > schedule[input.node].time,
                    schedule[node].mode != .alias
                else { return Tensor(node: results[input.node]!, index: input.index) }
                let copy =
                    again[input.node]?[time]
                    ?? Node(input.node.operation, results[input.node]!.inputs)
                again[input.node, default: [:]][time] = copy
                return Tensor(node: copy, index: input.index)
            }
            // Every node is made anew, so that a copy comes before its reader in order of creation.
            results[node] = node.inputs.isEmpty ? node : Node(node.operation, inputs)
        }
        return roots.map { Tensor(node: results[$0.node]!, index: $0.index) }
    }
}
