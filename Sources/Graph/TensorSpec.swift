import Arrays

/// What is known of a tensor before anything runs: its shape and element type.
public struct TensorSpec: Hashable, Sendable, CustomStringConvertible {
    public var shape: Shape
    public var type: ElementType

    public init(_ shape: Shape, _ type: ElementType) {
        self.shape = shape
        self.type = type
    }

    public var byteCount: Int { shape.elementCount * type.byteCount }
    public var description: String { "\(type)\(shape)" }
}
