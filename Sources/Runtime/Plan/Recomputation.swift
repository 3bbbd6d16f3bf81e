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
    /// A residual sum is made from two tensors: only where it is larger than this is its memory worth
    /// reading twice as much.
    static let smallestSumBytes = 4 << 20

    private let schedule: Schedule
    private var consumers: [Node: [Node]] = [:]
    private var roots: Set<Tensor> = []
    /// When the outputs (the loss, say) are known, and the backward pass begins.
    private let forwardEnd: Int
    private var chosen: Set<Node> = []

    init(_ program: TracedStep) {
        let schedule = Schedule(program)
        self.schedule = schedule
        forwardEnd =
            program.outputs.map { schedule[schedule.base($0).node].time }.max() ?? Int.max
        for node in schedule.nodes {
            for input in Set(node.inputs.map(schedule.base)) {
                consumers[input.node, default: []].append(node)
            }
        }
        roots = Set(program.roots.map(schedule.base))
    }

    /// The same step, with a node of its own for each later phase that reads a recomputed tensor.
    static func apply(to program: TracedStep) -> TracedStep {
        var recomputation = Recomputation(program)
        for node in recomputation.schedule.nodes where recomputation.isWorthRecomputing(node) {
            recomputation.chosen.insert(node)
        }
        guard !recomputation.chosen.isEmpty else { return program }
        return program.mappingRoots(recomputation.rebuild)
    }

    // MARK: - What

    private static func addsResidual(_ node: Node) -> Bool {
        (node.operation as? CentredScale)?.parts.hasResidual == true
    }

    /// The time after which readers get a copy. A residual sum is kept for the forward pass, where the next
    /// block adds to it.
    private func lastOwnTime(_ node: Node) -> Int {
        let time = schedule[node].time
        return Self.addsResidual(node) ? max(time, forwardEnd) : time
    }

    private func isWorthRecomputing(_ node: Node) -> Bool {
        guard Schedule.isCheap(node.operation), case .rows(let units) = schedule[node].mode,
            units.isBatch,
            node.outputs[0].byteCount
                >= (Self.addsResidual(node) ? Self.smallestSumBytes : Self.smallestBytes),
            !roots.contains(node.tensor)
        else { return false }
        let later = (consumers[node] ?? []).filter {
            schedule[$0].time > lastOwnTime(node) && schedule[$0].mode != .alias
        }
        guard let latest = later.map({ schedule[$0].time }).max(),
            later.allSatisfy({ schedule.readsOwnRows($0, of: node, units) })
        else { return false }
        return canBeMadeAgain(node, until: latest)
    }

    /// Whether what a node is made from is there until a time anyway, or can itself be made again from
    /// that. To make one residual sum again from another that is made again too would need the sums of all
    /// blocks before, so one of two neighbours is kept.
    private func canBeMadeAgain(_ node: Node, until time: Int) -> Bool {
        node.inputs.allSatisfy { input in
            let base = schedule.base(input).node
            guard case .rows = schedule[base].mode else { return true }
            if isMadeAgainWithin(node, base) { return canBeMadeAgain(base, until: time) }
            return !chosen.contains(base)
                && (consumers[base] ?? []).contains { $0 != node && schedule[$0].time >= time }
        }
    }

    /// Whether a copy of a node comes with a copy of its input: a normalization in front of a residual sum.
    private func isMadeAgainWithin(_ node: Node, _ input: Node) -> Bool {
        Self.addsResidual(node) && input.operation is CentredScale && !Self.addsResidual(input)
    }

    // MARK: - How

    private func rebuild(_ roots: [Tensor]) -> [Tensor] {
        var results: [Node: Node] = [:]
        var again: [Node: [Int: Node]] = [:]
        func copy(_ node: Node, at time: Int) -> Node {
            if let known = again[node]?[time] { return known }
            let inputs = node.inputs.map { input in
                isMadeAgainWithin(node, input.node)
                    ? Tensor(node: copy(input.node, at: time), index: input.index)
                    : Tensor(node: results[input.node]!, index: input.index)
            }
            let made = Node(node.operation, inputs)
            again[node, default: [:]][time] = made
            return made
        }
        for node in schedule.nodes {
            let time = schedule[node].time
            let inputs = node.inputs.map { input -> Tensor in
                let isCopied =
                    chosen.contains(input.node) && time > lastOwnTime(input.node)
                    && schedule[node].mode != .alias
                return Tensor(
                    node: isCopied ? copy(input.node, at: time) : results[input.node]!,
                    index: input.index)
            }
            // Every node is made anew, so that a copy comes before its reader in order of creation.
            results[node] = node.inputs.isEmpty ? node : Node(node.operation, inputs)
        }
        return roots.map { Tensor(node: results[$0.node]!, index: $0.index) }
    }
}
