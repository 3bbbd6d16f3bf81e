import Arrays
import Graph

/// A single image's convolutions are cut by rows, and with them what is computed element by element
/// behind them: between reshapes that move nothing, `[1, rows, ..., channels]` is `[rows, ..., channels]`.
struct SplitRows: Rewrite {
    let name = "rows of a single image"

    func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let shape = node.outputs.first?.shape, shape.rank >= 3, shape[0] == 1,
            node.outputs.count == 1
        else { return nil }
        switch node.operation {
        case let operation as PackedConvolution where operation.problem.direction == .forward:
            guard let rows = RowConvolution(operation.problem, output: operation.output),
                let pack = PackWeight(rows.packing)
            else { return nil }
            var inputs = node.inputs
            inputs[0] = rowsInside(inputs[0]) ?? inputs[0]
            inputs[1] = Tensor(pack, inputs[1].node.inputs[0])
            if operation.problem.addsResidual { inputs[inputs.count - 1] = asRows(inputs.last!) }
            return [Node(rows, inputs).tensor.reshape(shape)]
        case let unary as Unary: return elementwise(unary, node)
        case let binary as Binary where node.inputs.allSatisfy({ $0.shape == shape }):
            return elementwise(binary, node)
        case let scale as CentredScale where scale.axis > 1:
            return elementwise(
                CentredScale(
                    axis: scale.axis - 1, parts: scale.parts, activation: scale.activation),
                node)
        default: return nil
        }
    }

    /// The operation on rows, where some input is rows already.
    private func elementwise(_ operation: any Operation, _ node: Node) -> [Tensor]? {
        guard node.inputs.contains(where: { rowsInside($0) != nil }) else { return nil }
        let shape = node.outputs[0].shape
        let inputs = node.inputs.map { $0.shape == shape ? asRows($0) : $0 }
        return [Node(operation, inputs).tensor.reshape(shape)]
    }

    /// What an image is a reshaped form of.
    private func rowsInside(_ tensor: Tensor) -> Tensor? {
        guard tensor.node.operation is Reshape else { return nil }
        let inner = tensor.node.inputs[0]
        return inner.shape == Shape(Array(tensor.shape.dropFirst())) ? inner : nil
    }

    private func asRows(_ tensor: Tensor) -> Tensor {
        rowsInside(tensor) ?? tensor.reshape(Shape(Array(tensor.shape.dropFirst())))
    }
}
