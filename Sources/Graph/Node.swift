import Arrays
import Synchronization

/// One operation applied to its inputs: a vertex of the lazy graph. Immutable.
public final class Node: Sendable {
    public let operation: any Operation
    public var inputs: [Tensor] { storedInputs }
    public let outputs: [TensorSpec]

    /// Grows with every node made, so that sorting by it is a topological order.
    public let id: UInt64

    private static let nextID = Atomic<UInt64>(0)

    /// Written by `init` and, when nobody else holds the node any more, by `deinit`; hence `unsafe`.
    private nonisolated(unsafe) var storedInputs: [Tensor]

    /// Checks the inputs with the operation's shape rule, which traps with a sentence.
    public init(_ operation: any Operation, _ inputs: [Tensor]) {
        self.operation = operation
        storedInputs = inputs
        outputs = operation.outputSpecs(inputs.map(\.spec))
        id = Node.nextID.add(1, ordering: .relaxed).newValue
    }

    /// Lets go of the graph behind this node link by link: releasing a long chain in the usual way, one
    /// deinit inside another, would overflow the stack.
    deinit {
        var released = takeInputs().map(\.node)
        while var node = released.popLast() {
            if isKnownUniquelyReferenced(&node) { released += node.takeInputs().map(\.node) }
        }
    }

    private func takeInputs() -> [Tensor] {
        defer { storedInputs = [] }
        return storedInputs
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
