/// A tensor that must be finite, or else the step that computes it commits nothing.
public struct FinitenessCheck: Sendable {
    /// What the tensor is, for the message: `loss`, or `layers.1 BatchNorm: batch variance`.
    public let label: String
    public let tensor: Tensor

    public init(label: String, tensor: Tensor) {
        self.label = label
        self.tensor = tensor
    }
}

extension Tensor {
    /// Makes the commit of the step being traced depend on this tensor being finite everywhere.
    /// Meant for small tensors: losses and moments. Does nothing outside a step.
    public func requireFinite(_ label: String) {
        Trace.current?.require(FinitenessCheck(label: label, tensor: self))
    }
}
