/// A 16-bit floating-point number with float32's exponent range and 8 bits of precision.
///
/// A storage type: convert to `Float` to compute.
public struct BFloat16: Hashable, Sendable, BitwiseCopyable {
    public var bitPattern: UInt16

    @inlinable
    public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// Rounds to the nearest representable value, ties to even; NaN stays NaN.
    @inlinable
    public init(_ value: Float) {
        let bits = value.bitPattern
        if value.isNaN {
            bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
        } else {
            let rounding = 0x7FFF + ((bits >> 16) & 1)
            bitPattern = UInt16(truncatingIfNeeded: (bits &+ rounding) >> 16)
        }
    }

    /// The same number as a Float (exact).
    @inlinable
    public var floatValue: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}

extension BFloat16: Element {
    public static var elementType: ElementType { .bfloat16 }
    public static var zeroElement: BFloat16 { BFloat16(bitPattern: 0) }
    /// Rounds once, from Double: odd-rounding to Float first keeps ties right.
    @inlinable
    public static func converting(_ value: Double) -> BFloat16 {
        let nearest = Float(value)
        guard nearest.isFinite, Double(nearest) != value else { return BFloat16(nearest) }
        let truncated = abs(Double(nearest)) > abs(value) ? nearest.nextToward(zero: ()) : nearest
        return BFloat16(Float(bitPattern: truncated.bitPattern | 1))
    }
    @inlinable public var doubleValue: Double { Double(floatValue) }
}

extension BFloat16: CustomStringConvertible {
    public var description: String { floatValue.plainDescription }
}

extension Float {
    @inlinable
    func nextToward(zero: Void) -> Float { Float(bitPattern: bitPattern - 1) }
}
