import Arrays

/// The same values, through which no gradient flows.
public struct StopGradient: Operation {
    public init() {}

    public var name: String { "stopGradient" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] { inputs }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { inputs }
}

extension Tensor {
    /// The same values as a constant: derivatives do not look behind it.
    public func stoppingGradient() -> Tensor { Tensor(StopGradient(), self) }
}
