/// The type of an array's elements.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
    case bool
    case uint8
    case int32
    case int64
    case bfloat16
    case float16
    case float32
    case float64

    /// Bytes per element.
    @inlinable
    public var byteCount: Int {
        switch self {
        case .bool, .uint8: 1
        case .bfloat16, .float16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    /// Whether gradients can flow through arrays of this type.
    @inlinable
    public var isFloatingPoint: Bool {
        switch self {
        case .bfloat16, .float16, .float32, .float64: true
        case .bool, .uint8, .int32, .int64: false
        }
    }
}

/// A Swift type whose values are stored in arrays as they are.
public protocol Element: Sendable, Hashable, BitwiseCopyable {
    static var elementType: ElementType { get }
    /// The value all-zero bytes stand for.
    static var zeroElement: Self { get }
    /// Converts from any element by way of Double; integers are truncated toward zero and clamped.
    /// (No initializer: `map(Float.init)` would not know which one is meant.)
    static func converting(_ value: Double) -> Self
    /// The value as a Double (exact for every type but large Int64).
    var doubleValue: Double { get }
}

extension Float: Element {
    public static var elementType: ElementType { .float32 }
    public static var zeroElement: Float { 0 }
    @inlinable public static func converting(_ value: Double) -> Float { Float(value) }
    @inlinable public var doubleValue: Double { Double(self) }
}

extension Double: Element {
    public static var elementType: ElementType { .float64 }
    public static var zeroElement: Double { 0 }
    @inlinable public static func converting(_ value: Double) -> Double { value }
    @inlinable public var doubleValue: Double { self }
}

extension Bool: Element {
    public static var elementType: ElementType { .bool }
    public static var zeroElement: Bool { false }
    @inlinable public static func converting(_ value: Double) -> Bool { value != 0 }
    @inlinable public var doubleValue: Double { self ? 1 : 0 }
}

extension FixedWidthInteger {
    /// Truncates toward zero and clamps to the type's range; NaN becomes 0.
    @inlinable
    static func clamping(_ value: Double) -> Self {
        if value.isNaN { return 0 }
        return Self(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }
}

extension UInt8: Element {
    public static var elementType: ElementType { .uint8 }
    public static var zeroElement: UInt8 { 0 }
    @inlinable public static func converting(_ value: Double) -> UInt8 {
        clamping(value)
    }
    @inlinable public var doubleValue: Double { Double(self) }
}

extension Int32: Element {
    public static var elementType: ElementType { .int32 }
    public static var zeroElement: Int32 { 0 }
    @inlinable public static func converting(_ value: Double) -> Int32 {
        clamping(value)
    }
    @inlinable public var doubleValue: Double { Double(self) }
}

extension Int64: Element {
    public static var elementType: ElementType { .int64 }
    public static var zeroElement: Int64 { 0 }
    @inlinable public static func converting(_ value: Double) -> Int64 {
        clamping(value)
    }
    @inlinable public var doubleValue: Double { Double(self) }
}

#if !(os(macOS) && arch(x86_64))
    extension Float16: Element {
        public static var elementType: ElementType { .float16 }
        public static var zeroElement: Float16 { 0 }
        @inlinable public static func converting(_ value: Double) -> Float16 { Float16(value) }
        @inlinable public var doubleValue: Double { Double(self) }
    }
#endif
