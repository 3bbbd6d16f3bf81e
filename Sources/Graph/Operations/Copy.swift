/// The same values in memory of their own.
public struct Copy: Operation {
    public init() {}

    public var name: String { "copy" }
    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] { inputs }
    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }
    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [call.gradient] }
    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { inputs }
}
