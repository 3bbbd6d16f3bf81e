import Arrays
import Graph
import Runtime

/// A layer whose weight is a function of what is learned: the base of ``WeightNorm``, ``SpectralNorm`` and
/// ``WeightStandardization``.
///
/// Works on any layer that has a parameter of the given name with output units on its first axis. The
/// names of the layer's parameters in checkpoints stay what they are. ``fuse()`` removes it again.
open class Reparametrized: Module {
    public let layer: Module
    /// What is learned in the place of the weight.
    public let raw: Parameter

    /// Traps unless the layer has a parameter `name` of rank 1 or more.
    public init(_ layer: Module, weight name: String = "weight") {
        let found = layer.members().compactMap { last, member -> Parameter? in
            if case .parameter(let parameter) = member, last == name { return parameter }
            return nil
        }
        guard let parameter = found.first, parameter.shape.rank > 0 else {
            preconditionFailure("\(Self.self): \(type(of: layer)) has no weight named '\(name)'")
        }
        self.layer = layer
        raw = parameter
        super.init()
    }

    /// The weight that the layer uses, for what is learned.
    open func weight(_ raw: Tensor, _ context: Context) -> Tensor {
        preconditionFailure("\(Self.self) does not override weight(_:_:)")
    }

    /// The parameters and states that come with the reparametrization.
    open var ownMembers: [(name: String, member: Module.Member)] { [] }

    override public func members() -> [(name: String, member: Module.Member)] {
        layer.members() + ownMembers
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        let value = weight(raw.tensor, context)
        raw.substitute = value
        defer { raw.substitute = nil }
        return layer(input, context)
    }

    /// The layer by itself, with the weight that it has used in inference.
    public func fuse() -> Module {
        raw.value = weight(Tensor(raw.value), Context(.inference)).evaluate()
        return layer
    }
}

extension Tensor {
    /// A weight as a matrix `[units, inputs]`, processed, and put back in its shape.
    func overUnits(_ compute: (Tensor) -> Tensor) -> Tensor {
        let units = shape[0]
        let inputs = shape.dropFirst().reduce(1, *)
        return throughFloat32 { compute($0.reshape([units, inputs])).reshape(shape) }
    }
}
