extension NDArray: CustomStringConvertible {
    /// Nested brackets as NumPy prints them; long axes show their first and last three entries.
    public var description: String {
        let values = elements(as: Double.self)
        let strides = shape.strides
        func text(_ value: Double) -> String {
            switch elementType {
            case .bool: value != 0 ? "true" : "false"
            case .uint8, .int32, .int64: String(Int(value))
            case .float64: String(value)
            case .float32, .bfloat16, .float16: String(Float(value))
            }
        }
        func render(_ axis: Int, _ offset: Int) -> String {
            guard axis < shape.rank else { return text(values[offset]) }
            let extent = shape[axis]
            let shown =
                extent <= 8 ? Array(0..<extent) : [0, 1, 2, -1, extent - 3, extent - 2, extent - 1]
            let parts = shown.map { $0 < 0 ? "..." : render(axis + 1, offset + $0 * strides[axis]) }
            let separator =
                axis == shape.rank - 1 ? ", " : ",\n" + String(repeating: " ", count: axis + 1)
            return "[" + parts.joined(separator: separator) + "]"
        }
        return render(0, 0)
    }
}
