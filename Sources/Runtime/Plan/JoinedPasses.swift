import Graph

/// Pairs of nodes of a segment that one kernel carries out in one pass over what both read.
///
/// In the backward pass a normalization is made again for the weight gradient of the convolution behind it,
/// and the two sums of its own gradient are taken: both read the tensor that was normalized, as do a
/// normalization at the end of a network and its sums. Likewise the sums of group norm's gradient and those
/// for gamma and beta. Each node keeps its place in the schedule; the second is only carried out earlier,
/// when the first runs.
struct JoinedPasses {
    /// For each node that takes another with it, that other.
    private(set) var partners: [Node: Node] = [:]

    /// - Parameter groups: a segment's nodes in the order in which they run; several in one entry have a kernel
    ///   of their own.
    init(_ groups: [[Node]], _ schedule: Schedule) {
        let nodes = groups.flatMap { $0 }
        let positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
        let candidates = nodes.filter(Self.isCandidate)
        var taken = Set(groups.filter { $0.count > 1 }.joined())
        for (index, node) in candidates.enumerated() where !taken.contains(node) {
            let position = positions[node]!
            let partner = candidates[(index + 1)...].first { other in
                guard !taken.contains(other), Self.canJoin(node, other) else { return false }
                // Everything it reads is there when the first runs.
                return other.inputs.allSatisfy {
                    (positions[schedule.base($0).node] ?? -1) < position
                }
            }
            guard let partner else { continue }
            taken.insert(partner)
            partners[node] = partner
        }
    }

    private static func isCandidate(_ node: Node) -> Bool {
        node.operation is CentredScale || node.operation is CentredSums
            || node.operation is GroupSums || node.operation is GroupParameterSums
    }

    private static func canJoin(_ node: Node, _ other: Node) -> Bool {
        switch (node.operation, other.operation) {
        case (let normalization as CentredScale, let sums as CentredSums):
            areOfOneTensor(normalization, node, sums, other)
        case (let sums as CentredSums, let normalization as CentredScale):
            areOfOneTensor(normalization, other, sums, node)
        case (let sums as GroupSums, let parameters as GroupParameterSums):
            readTheSame(sums, node, parameters, other)
        case (let parameters as GroupParameterSums, let sums as GroupSums):
            readTheSame(sums, other, parameters, node)
        default: false
        }
    }

    private static func areOfOneTensor(
        _ normalization: CentredScale, _ node: Node, _ sums: CentredSums, _ other: Node
    ) -> Bool {
        sums.axis == normalization.axis && sums.parts == normalization.parts
            && sums.activation == normalization.activation
            && Array(other.inputs.dropFirst()) == node.inputs
    }

    private static func readTheSame(
        _ sums: GroupSums, _ node: Node, _ parameters: GroupParameterSums, _ other: Node
    ) -> Bool {
        let (first, second) = (sums.parts.positions(after: 2), parameters.parts.positions(after: 2))
        return sums.axis == parameters.axis && sums.groups == parameters.groups
            && node.inputs[..<2] == other.inputs[..<2]
            && first.mean.map { node.inputs[$0] } == second.mean.map { other.inputs[$0] }
            && first.low.map { node.inputs[$0] } == second.low.map { other.inputs[$0] }
    }
}
