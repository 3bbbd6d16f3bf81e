import Arrays
import Graph

/// What follows from constants alone is computed while planning, not in every run: packed weights, the
/// scales of batch norms.
enum FoldConstants {
    static func apply(to program: TracedStep, workers: Workers) throws(MemoryError) -> TracedStep {
        let nodes = topologicalOrder(program.roots)
        var constant: Set<Node> = []
        for node in nodes where isConstant(node, constant) { constant.insert(node) }
        // Computed are those that something else reads.
        var wanted: [Tensor] = []
        for node in nodes where !constant.contains(node) {
            for input in node.inputs
            where constant.contains(input.node) && !(input.node.operation is ConstantLeaf) {
                wanted.append(input)
            }
        }
        wanted = Array(Set(wanted))
        guard !wanted.isEmpty else { return program }
        var planner = Planner(TracedStep(inputs: []) { _ in wanted }, workers: workers.count)
        let values = try planner.plan().run([], on: workers).outputs
        let known = Dictionary(uniqueKeysWithValues: zip(wanted, values))

        var results: [Tensor: Tensor] = [:]
        for node in nodes where !constant.contains(node) {
            let inputs = node.inputs.map { results[$0] ?? known[$0].map { Tensor($0) } ?? $0 }
            let rebuilt = node.inputs.isEmpty ? node : Node(node.operation, inputs)
            for (old, new) in zip(node.tensors, rebuilt.tensors) { results[old] = new }
        }
        return program.mappingRoots { $0.map { results[$0] ?? $0 } }
    }

    private static func isConstant(_ node: Node, _ constant: Set<Node>) -> Bool {
        node.inputs.isEmpty
            ? node.operation is ConstantLeaf
            : node.inputs.allSatisfy { constant.contains($0.node) }
    }
}
