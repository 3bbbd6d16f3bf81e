import Arrays

/// A handle to one output of a node in a lazy graph.
///
/// Building an expression computes nothing: values are computed when they are asked for, or when a
/// compiled step runs. A tensor is immutable and may be shared between threads.
public struct Tensor: Sendable, Hashable {
    public let node: Node
    public let index: Int

    public init(node: Node, index: Int) {
        self.node = node
        self.index = index
    }

    /// The only output of an operation applied to inputs.
    public init(_ operation: any Operation, _ inputs: Tensor...) {
        self.init(node: Node(operation, inputs), index: 0)
    }

    public var spec: TensorSpec { node.outputs[index] }
    public var shape: Shape { spec.shape }
    public var elementType: ElementType { spec.type }
    public var rank: Int { shape.rank }
}
