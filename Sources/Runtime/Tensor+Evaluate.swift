import Arrays
import Graph

extension Tensor {
    /// Computes the value now.
    public func evaluate(backend: Backend = .fast) -> NDArray {
        Runtime.evaluate([self], backend: backend)[0]
    }

    /// The elements, computed now. Traps unless the number of elements fits memory.
    public func elements<E: Element>(as type: E.Type = E.self) -> [E] {
        evaluate().elements(as: E.self)
    }

    /// The only element of a tensor that has one, computed now.
    public func item<E: Element>(as type: E.Type = E.self) -> E { evaluate().item(as: E.self) }
}

/// Computes several tensors together.
public func evaluate(_ tensors: [Tensor], backend: Backend = .fast) -> [NDArray] {
    if tensors.allSatisfy({ $0.node.operation is ConstantLeaf }) {
        return tensors.map { ($0.node.operation as! ConstantLeaf).value }
    }
    return Step(backend: backend) { _ in tensors }.run([]).outputs
}

extension Tensor: CustomStringConvertible {
    /// The value (computing it), as nested brackets.
    public var description: String { evaluate().description }
}
