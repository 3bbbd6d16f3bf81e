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
        // Every one was just found to be a constant.
        return tensors.map { ($0.node.operation as! ConstantLeaf).value }
    }
    for tensor in tensors where tensor.dependsOnStepInputs {
        preconditionFailure(
            "\(tensor.spec) depends on the inputs of a step and has a value only while it runs; "
                + "return it from the step's body to see it")
    }
    return Step(backend: backend) { _ in tensors }.run([]).outputs
}

extension Tensor: CustomStringConvertible {
    /// The value (computing it), as nested brackets; type and shape where the value depends on the inputs
    /// of a step.
    public var description: String {
        dependsOnStepInputs ? "\(spec) of a step" : evaluate().description
    }

    fileprivate var dependsOnStepInputs: Bool {
        topologicalOrder([self]).contains { $0.operation is InputLeaf }
    }
}
