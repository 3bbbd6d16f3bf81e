import Arrays
import Synchronization

/// One operation applied to its inputs: a vertex of the lazy graph. Immutable.
public final class Node: Sendable {
    public let operation: any Operation
    public let inputs: [Tensor]
    public let outputs: [TensorSpec]

    /// Grows with every node made, so that sorting by it is a topological order.
    public let id: UInt64

    private static let nextID = Atomic<UInt64>(0)

    /// Checks the inputs with the operation's shape rule, which traps with a sentence.
    public init(_ operation: any Operation, _ inputs: [Tensor]) {
        self.operation = operation
        self.inputs = inputs
        outputs = operation.outputSpecs(inputs.map(\.spec))
        id = Node.nextID.add(1, ordering: .relaxed).newValue
    }

    /// The first output, for the many operations that have one.
    public var tensor: Tensor { Tensor(node: self, index: 0) }

    /// All outputs.
    public var tensors: [Tensor] { outputs.indices.map { Tensor(node: self, index: $0) } }
}

extension Node: Hashable {
    public static func == (first: Node, second: Node) -> Bool { first === second }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// The nodes that the given tensors depend on, inputs before consumers.
public func topologicalOrder(_ roots: [Tensor]) -> [Node] {
    var seen: Set<UInt64> = []
    var stack = roots.map(\.node)
    var nodes: [Node] = []
    while let node = stack.popLast() {
        guard seen.insert(node.id).inserted else { continue }
        nodes.append(node)
        stack.append(contentsOf: node.inputs.map(\.node))
    }
    return nodes.sorted { $0.id < $1.id }
}
