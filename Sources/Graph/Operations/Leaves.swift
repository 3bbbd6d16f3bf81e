import Arrays

/// A leaf that holds data.
public struct ConstantLeaf: Operation {
    public let value: NDArray

    public var name: String { "constant" }
    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        [TensorSpec(value.shape, value.elementType)]
    }
    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [] }
    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }
    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        [Values(value)]
    }

    public static func == (first: ConstantLeaf, second: ConstantLeaf) -> Bool {
        if first.value.storage === second.value.storage {
            return first.value.shape == second.value.shape
        }
        return first.value.elementCount <= 16 && first.value == second.value
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(value.shape)
        hasher.combine(value.elementType)
    }
}

/// An input of a step: its value is given at each call.
public struct InputLeaf: Operation {
    public let position: Int
    public let spec: TensorSpec

    public init(position: Int, spec: TensorSpec) {
        self.position = position
        self.spec = spec
    }

    public var name: String { "input" }
    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] { [spec] }
    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [] }
    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }
    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        fail("an input has a value only while its step runs")
    }
}

/// The value of a variable at the start of a step.
public struct VariableLeaf: Operation {
    public let variable: Variable

    public var name: String { "variable" }
    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] { [variable.spec] }
    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [] }
    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }
    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        [Values(variable.value)]
    }
}

extension Tensor {
    /// A tensor that holds data.
    public init(_ array: NDArray) {
        self.init(ConstantLeaf(value: array))
    }

    /// A scalar, or the same value everywhere.
    public init(repeating value: Double, shape: Shape = [], _ type: ElementType = .float32) {
        let scalar = NDArray(scalar: value).converted(to: type)
        self = Tensor(scalar).broadcast(to: shape)
    }

    public static func zeros(_ shape: Shape, _ type: ElementType = .float32) -> Tensor {
        Tensor(repeating: 0, shape: shape, type)
    }

    public static func ones(_ shape: Shape, _ type: ElementType = .float32) -> Tensor {
        Tensor(repeating: 1, shape: shape, type)
    }
}
