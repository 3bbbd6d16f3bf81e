import Arrays
import Graph

/// The gradient behind a ReLU and the sums that are taken of it, carried out in one pass.
///
/// At the end of a residual block the gradient of the block's output is a sum of two, the ReLU lets it
/// through where the output was positive, and of the result a normalization takes the two sums of its
/// gradient, or a bias its own. One after the other these would carry the tensor through memory three times.
struct GatedSums {
    /// The sum of two gradients, if it is one.
    let sum: Node?
    let gradient: Node
    let totals: Node

    var nodes: [Node] { (sum.map { [$0] } ?? []) + [gradient, totals] }

    /// What was in `nodes`; nil for nodes that are something else.
    init?(_ nodes: [Node]) {
        guard let totals = nodes.last, nodes.count == 2 || nodes.count == 3 else { return nil }
        let gradient = nodes[nodes.count - 2]
        let sum = nodes.count == 3 ? nodes[0] : nil
        guard Self.isGradient(gradient), Self.areTotals(totals, of: gradient.tensor) else {
            return nil
        }
        if let sum {
            guard Self.isSum(sum), gradient.inputs[0] == sum.tensor else { return nil }
        }
        (self.sum, self.gradient, self.totals) = (sum, gradient, totals)
    }

    /// Those among a segment's nodes, which are in the order in which they run.
    ///
    /// - Parameters:
    ///   - isPassed: whether nothing but that node reads the tensor, so that it need not be stored.
    ///   - isKept: whether the tensor is read by others than that node.
    static func all(
        in nodes: [Node], _ schedule: Schedule, isPassed: (Tensor, Node) -> Bool,
        isKept: (Tensor, Node) -> Bool
    ) -> [GatedSums] {
        let positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
        var totalsOf: [Tensor: Node] = [:]
        for node in nodes {
            guard let tensor = node.inputs.first, totalsOf[tensor] == nil,
                areTotals(node, of: tensor)
            else { continue }
            totalsOf[tensor] = node
        }
        return nodes.compactMap { gradient in
            guard isGradient(gradient), let totals = totalsOf[gradient.tensor],
                isKept(gradient.tensor, totals)
            else { return nil }
            let maker = gradient.inputs[0].node
            let sum =
                positions[maker] != nil && isSum(maker) && isPassed(maker.tensor, gradient)
                ? maker : nil
            let chain = (sum.map { [$0] } ?? []) + [gradient, totals]
            // Everything that it reads is there when its first node runs.
            let first = positions[chain[0]]!
            let isReady = chain.flatMap(\.inputs).allSatisfy { input in
                let source = schedule.base(input).node
                return chain.contains(source) || (positions[source] ?? -1) < first
            }
            return isReady ? GatedSums(chain) : nil
        }
    }

    private static func isGradient(_ node: Node) -> Bool {
        (node.operation as? Binary)?.function == .leakyReLUGradient(slope: 0) && isPlain(node)
    }

    private static func isSum(_ node: Node) -> Bool {
        (node.operation as? Binary)?.function == .add && isPlain(node)
    }

    /// Without broadcasting, over a type for which there is the loop.
    private static func isPlain(_ node: Node) -> Bool {
        [.float32, .bfloat16].contains(node.outputs[0].type)
            && node.inputs.allSatisfy { $0.spec == node.outputs[0] }
    }

    private static func areTotals(_ node: Node, of tensor: Tensor) -> Bool {
        guard node.inputs.first == tensor else { return false }
        switch node.operation {
        case let sums as CentredSums: return sums.activation == .identity
        case let sum as Sum:
            // Over float32 such sums are taken tile by tile.
            return tensor.elementType == .bfloat16
                && ChannelTotals.view(tensor.shape, axes: sum.axes) != nil
        default: return false
        }
    }
}
