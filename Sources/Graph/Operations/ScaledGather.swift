import Arrays

/// Rows of a table of bytes as numbers, `table[index] * scale + shift`: how images that stay bytes in
/// memory become the input of a network. Made by fusion.
///
/// Inputs: a uint8 table `[rows, ...]` and int32 indices; an index outside the table gives zeros.
public struct ScaledGather: Operation {
    public let scale: Double
    public let shift: Double

    public init(scale: Double, shift: Double) {
        self.scale = scale
        self.shift = shift
    }

    public var name: String {
        "gather * \(Float(scale))" + (shift == 0 ? "" : " + \(Float(shift))")
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let shape = Gather(marksInvalid: false).outputSpecs(inputs)[0].shape
        return [TensorSpec(shape, .float32)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        Gather(marksInvalid: false).sharding(inputs, outputs)
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        Gather(marksInvalid: false).reference(inputs).map { $0.map { $0 * T(scale) + T(shift) } }
    }
}
