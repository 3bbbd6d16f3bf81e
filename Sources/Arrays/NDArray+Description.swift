extension NDArray: CustomStringConvertible {
    /// Nested brackets as NumPy prints them; long axes show their first and last three entries.
    public var description: String {
        let strides = shape.strides
        func element<E: Element>(_ offset: Int, _: E.Type) -> E {
            withElements(E.self) { $0[offset] }
        }
        func text(_ offset: Int) -> String {
            switch elementType {
            case .bool: String(element(offset, Bool.self))
            case .uint8: String(element(offset, UInt8.self))
            case .int32: String(element(offset, Int32.self))
            case .int64: String(element(offset, Int64.self))
            case .bfloat16: element(offset, BFloat16.self).description
            case .float16: Float(element(offset, Float16.self)).plainDescription
            case .float32: element(offset, Float.self).plainDescription
            case .float64: element(offset, Double.self).plainDescription
            }
        }
        func render(_ axis: Int, _ offset: Int) -> String {
            guard axis < shape.rank else { return text(offset) }
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

extension BinaryFloatingPoint where Self: CustomStringConvertible {
    /// The shortest digits that mean this number. A NaN is `nan`, whatever its sign bit.
    package var plainDescription: String { isNaN ? "nan" : description }
}
