import Graph

/// What a phase reads that no phase shortly before it has touched: for a long time nothing but the memory has
/// held it. In the backward pass that is what the forward pass stored.
///
/// While the weight gradient of one shard is computed, which leaves the memory alone, its kernel asks for such
/// inputs of the next shard.
struct FarInputs {
    /// The phases in which a tensor is written or read.
    private var phases: [Tensor: [Int]] = [:]
    private let schedule: Schedule

    init(_ schedule: Schedule) {
        self.schedule = schedule
        for node in schedule.nodes
        where schedule[node].mode != .leaf && schedule[node].mode != .alias {
            let phase = schedule[node].time / 2
            for tensor in node.tensors + node.inputs {
                phases[schedule.base(tensor), default: []].append(phase)
            }
        }
    }

    /// Those of the nodes' inputs, each once, in the order in which they are read.
    ///
    /// - Parameter nodes: of one phase, in the order in which they run.
    func callAsFunction(_ nodes: some Sequence<Node>) -> [Tensor] {
        var result: [Tensor] = []
        for node in nodes {
            for input in node.inputs where isFar(input, in: schedule[node].time / 2) {
                if !result.contains(where: { schedule.base($0) == schedule.base(input) }) {
                    result.append(input)
                }
            }
        }
        return result
    }

    private func isFar(_ tensor: Tensor, in phase: Int) -> Bool {
        guard let last = phases[schedule.base(tensor), default: []].filter({ $0 < phase }).max()
        else { return false }
        return last < phase - 1
    }
}
