import Arrays
import Graph
import Runtime

/// A variable whose last axis goes along a flattened image: the columns of a dense layer's weight, or what
/// a normalization in front of it has for each number. Their order is that of the image's axes.
public struct FlattenedImage {
    public let variable: Variable
    /// `[rows, ..., channels]`
    public let image: Shape

    /// The values for images whose channels are last, from those for images whose channels are first.
    public func channelsLast(_ values: NDArray) -> NDArray {
        exchanged(values, image[image.rank - 1], positions)
    }

    /// The values for images whose channels are first, from those for images whose channels are last.
    public func channelsFirst(_ values: NDArray) -> NDArray {
        exchanged(values, positions, image[image.rank - 1])
    }

    private var positions: Int { image.dropLast().reduce(1, *) }

    /// The last axis as a matrix, transposed.
    private func exchanged(_ values: NDArray, _ rows: Int, _ columns: Int) -> NDArray {
        Tensor(values).reshape([-1, rows, columns]).transposed(axes: [0, 2, 1])
            .reshape(values.shape).evaluate()
    }
}

extension Module {
    /// The variables that meet a flattened image of several channels and positions, found in the graph of
    /// the model's inference.
    public func flattenedImages(input: TensorSpec) -> [FlattenedImage] {
        let traced = TracedStep(inputs: [input]) { [self($0[0], Context(.inference))] }
        var search = FlattenedImageSearch()
        for node in topologicalOrder(traced.outputs) { search.visit(node) }
        return search.found
    }
}

/// Follows flattened images through what keeps the order of their numbers.
private struct FlattenedImageSearch {
    private(set) var found: [FlattenedImage] = []
    private var seen: Set<Variable> = []
    /// Matrices of samples whose rows are images.
    private var images: [Tensor: Shape] = [:]
    /// Nodes that depend on no input of the step, with the variables that they depend on.
    private var variables: [Node: Set<Variable>] = [:]

    /// Nodes must come after their inputs.
    mutating func visit(_ node: Node) {
        if let leaf = node.operation as? VariableLeaf {
            variables[node] = [leaf.variable]
            return
        }
        if !(node.operation is InputLeaf), node.inputs.allSatisfy({ variables[$0.node] != nil }) {
            variables[node] = node.inputs.reduce(into: []) { $0.formUnion(variables[$1.node]!) }
            return
        }
        if node.operation is Graph.Reshape, let image = image(node.inputs[0], node.tensor) {
            images[node.tensor] = image
            return
        }
        guard let source = node.inputs.first(where: { images[$0] != nil }),
            let image = images[source]
        else { return }
        // A product mixes the numbers; anything else of the same shape treats each by itself.
        let isProduct = node.operation is MatrixProduct
        for input in node.inputs {
            for variable in variables[input.node] ?? []
            where variable.spec.shape.rank == (isProduct ? 2 : 1)
                && variable.spec.shape.last == image.elementCount
                && seen.insert(variable).inserted
            {
                found.append(FlattenedImage(variable: variable, image: image))
            }
        }
        if !isProduct {
            for tensor in node.tensors where tensor.shape == source.shape { images[tensor] = image }
        }
    }

    /// The image whose numbers become the rows of a matrix of samples; nil where order plays no role.
    private func image(_ source: Tensor, _ matrix: Tensor) -> Shape? {
        guard source.rank >= 3, matrix.rank == 2, source.shape[0] == matrix.shape[0] else {
            return nil
        }
        let image = Shape(Array(source.shape.dropFirst()))
        let channels = image[image.rank - 1]
        return channels > 1 && channels < image.elementCount ? image : nil
    }
}
