import Arrays
import Graph
import Runtime

/// A dense layer that takes a flattened image: the order of its weight's columns is the image's.
public struct FlattenedImage {
    public let dense: Dense
    /// `[rows, ..., channels]`
    public let image: Shape

    /// The weight for images whose channels were last, from one for images whose channels were first.
    ///
    /// - Parameter weight: `[outputs, inputs]`.
    public func channelsLast(_ weight: NDArray) -> NDArray {
        let positions = Array(image.dropLast())
        let channels = image[image.rank - 1]
        let split = Tensor(weight).reshape(
            [weight.shape[0], channels, positions.reduce(1, *)])
        return split.transposed(axes: [0, 2, 1]).reshape(weight.shape).evaluate()
    }
}

extension Module {
    /// The dense layers whose input is a flattened image of several channels and positions, found in the
    /// graph of the model's inference.
    public func flattenedImages(input: TensorSpec) -> [FlattenedImage] {
        let traced = TracedStep(inputs: [input]) { [self($0[0], Context(.inference))] }
        var layers: [Variable: Dense] = [:]
        for case let dense as Dense in namedModules.map(\.module) {
            layers[dense.weight.variable] = dense
        }
        return topologicalOrder(traced.outputs).compactMap { node in
            guard node.operation is MatrixProduct,
                let leaf = node.inputs[1].node.operation as? VariableLeaf,
                let dense = layers[leaf.variable], let image = Self.flattened(node.inputs[0])
            else { return nil }
            return FlattenedImage(dense: dense, image: image)
        }
    }

    /// The image behind a matrix of samples, through what works on each element by itself.
    private static func flattened(_ tensor: Tensor) -> Shape? {
        let node = tensor.node
        switch node.operation {
        case is Unary, is Cast: return flattened(node.inputs[0])
        case is Graph.Reshape:
            let source = node.inputs[0].shape
            guard source.rank >= 3, tensor.rank == 2, source[0] == tensor.shape[0] else {
                return source.rank == 2 ? flattened(node.inputs[0]) : nil
            }
            let image = Shape(Array(source.dropFirst()))
            let channels = image[image.rank - 1]
            return channels > 1 && channels < image.elementCount ? image : nil
        default: return nil
        }
    }
}
