/// A named pass over a graph: it is shown each node with its inputs already rewritten and may say what
/// takes the node's place.
///
/// A pass is made anew for each graph, so it may remember what it has seen.
public protocol Rewrite {
    var name: String { get }

    init()

    /// The replacement of each output, or nil to leave the node as it is.
    mutating func replacement(for node: Node, in context: RewriteContext) -> [Tensor]?
}

/// What a pass may ask about the graph around a node.
public struct RewriteContext {
    /// How many times each tensor is used, results of the step included.
    public let uses: [Tensor: Int]
    /// The original of each tensor that takes another's place.
    let originals: [Tensor: Tensor]

    /// How many inputs of nodes, and results of the step, the tensor is.
    public func useCount(_ tensor: Tensor) -> Int { uses[originals[tensor] ?? tensor] ?? 0 }

    /// Whether the tensor's only use is the one being looked at.
    public func isUsedOnce(_ tensor: Tensor) -> Bool { useCount(tensor) == 1 }
}

/// Rebuilds a graph under a pass.
public struct GraphRewriter {
    private let makePass: () -> any Rewrite

    public init(_ pass: any Rewrite.Type) { makePass = { pass.init() } }

    /// The tensors that take the given ones' places.
    public func callAsFunction(_ roots: [Tensor]) -> [Tensor] {
        var rewrite = makePass()
        let nodes = topologicalOrder(roots)
        var uses: [Tensor: Int] = [:]
        for root in roots { uses[root, default: 0] += 1 }
        for node in nodes { for input in node.inputs { uses[input, default: 0] += 1 } }

        var results: [Node: [Tensor]] = [:]
        var originals: [Tensor: Tensor] = [:]
        for node in nodes {
            let inputs = node.inputs.map { results[$0.node]![$0.index] }
            let rebuilt = inputs == node.inputs ? node : Node(node.operation, inputs)
            let context = RewriteContext(uses: uses, originals: originals)
            let replacement = rewrite.replacement(for: rebuilt, in: context) ?? rebuilt.tensors
            for (new, old) in zip(replacement, node.tensors) { originals[new] = old }
            results[node] = replacement
        }
        return roots.map { results[$0.node]![$0.index] }
    }
}
