import Graph
import Interchange
import Layers

/// How values of a model here become a `state_dict` that PyTorch loads: the way back of ``StateImport``,
/// to the bit.
public struct StateExport: Hashable, Sendable {
    public var layout: StateImport.Layout

    public init(layout: StateImport.Layout = .channelsFirst) { self.layout = layout }

    /// Writes all parameters and states, under their names, to a safetensors file.
    ///
    /// - Parameter input: the shape and type of some inputs of the model.
    public func write(_ model: Module, to path: String, input: TensorSpec) throws(FileError) {
        let images = layout.flattenedImages(model, input)
        let pairs = model.namedVariables.map { name, variable in
            (name, images[variable]?.channelsFirst(variable.value) ?? variable.value)
        }
        try Safetensors.write(
            Dictionary(pairs, uniquingKeysWith: { first, _ in first }), to: path)
    }
}
