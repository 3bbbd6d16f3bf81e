import Graph

/// Pairs of nodes of a segment that one kernel carries out in one pass over what both read.
///
/// In the backward pass a normalization is made again for the weight gradient of the convolution behind it,
/// and the two sums of its own gradient are taken: both read the tensor that was normalized. Each node
/// keeps its place in the schedule; the sums are only taken earlier, when the normalization runs.
struct JoinedPasses {
    /// For each normalization, the sums that are taken on its way.
    private(set) var sums: [Node: Node] = [:]

    /// - Parameter nodes: a segment's, in the order in which they run.
    init(_ nodes: [Node], _ schedule: Schedule) {
        let positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
        var taken: Set<Node> = []
        for (position, node) in nodes.enumerated() {
            guard let normalization = node.operation as? CentredScale else { continue }
            let partner = nodes[(position + 1)...].first { other in
                guard !taken.contains(other), let sums = other.operation as? CentredSums,
                    sums.axis == normalization.axis, sums.parts == normalization.parts,
                    sums.activation == normalization.activation,
                    Array(other.inputs.dropFirst()) == node.inputs
                else { return false }
                // Everything they read is there when the normalization runs.
                return other.inputs.allSatisfy {
                    (positions[schedule.base($0).node] ?? -1) < position
                }
            }
            guard let partner else { continue }
            taken.insert(partner)
            sums[node] = partner
        }
    }
}
