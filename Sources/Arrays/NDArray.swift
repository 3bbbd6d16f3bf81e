/// A dense array of numbers with value semantics: shape, element type and row-major bytes.
///
/// Copies share memory until one of them is written to. The memory is aligned to 64 bytes.
public struct NDArray: Sendable {
    public private(set) var shape: Shape
    public let elementType: ElementType
    public private(set) var storage: Storage

    /// An array over existing storage, which must hold exactly the shape's elements.
    public init(storage: Storage, shape: Shape, elementType: ElementType) {
        precondition(
            storage.byteCount == shape.elementCount * elementType.byteCount,
            "an array of shape \(shape) and type \(elementType) needs "
                + "\(shape.elementCount * elementType.byteCount) bytes, found \(storage.byteCount)")
        self.storage = storage
        self.shape = shape
        self.elementType = elementType
    }

    /// An array of zeros.
    public init(zeros shape: Shape, _ elementType: ElementType = .float32) {
        precondition(shape.allSatisfy { $0 >= 0 }, "extents cannot be negative, found \(shape)")
        self.init(
            storage: Storage(zeroed: shape.elementCount * elementType.byteCount),
            shape: shape, elementType: elementType)
    }

    /// An array with the given elements in row-major order. Traps unless their number fits the shape.
    public init<E: Element>(_ elements: some Collection<E>, shape: Shape) {
        precondition(
            elements.count == shape.elementCount,
            "the shape \(shape) has \(shape.elementCount) elements, found \(elements.count)")
        self.init(zeros: shape, E.elementType)
        let buffer = UnsafeMutableBufferPointer(
            start: storage.pointer.assumingMemoryBound(to: E.self), count: elements.count)
        _ = buffer.update(fromContentsOf: elements)
    }

    /// A one-dimensional array.
    public init<E: Element>(_ elements: [E]) {
        let storage = Storage(zeroed: elements.count * E.elementType.byteCount)
        elements.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            storage.pointer.copyMemory(from: source, byteCount: bytes.count)
        }
        self.init(storage: storage, shape: [elements.count], elementType: E.elementType)
    }

    /// A scalar.
    public init<E: Element>(scalar value: E) {
        let storage = Storage(zeroed: E.elementType.byteCount)
        storage.pointer.initializeMemory(as: E.self, to: value)
        self.init(storage: storage, shape: [], elementType: E.elementType)
    }

    /// An array with the same value everywhere.
    public init<E: Element>(repeating value: E, shape: Shape) {
        self.init(repeatElement(value, count: shape.elementCount), shape: shape)
    }

    public var elementCount: Int { shape.elementCount }
    public var byteCount: Int { storage.byteCount }

    /// The same elements under another shape. Traps unless the number of elements is the same.
    public func reshaped(_ shape: Shape) -> NDArray {
        precondition(
            shape.elementCount == elementCount,
            "cannot reshape \(self.shape) (\(elementCount) elements) to \(shape) "
                + "(\(shape.elementCount) elements)")
        return NDArray(storage: storage, shape: shape, elementType: elementType)
    }

    /// The elements as `E`, converted where the array's type is another one.
    public func elements<E: Element>(as type: E.Type = E.self) -> [E] {
        if E.elementType == elementType {
            return withElements(E.self) { Array($0) }
        }
        return [E](unsafeUninitializedCapacity: elementCount) { buffer, count in
            forEachDouble { buffer.initializeElement(at: $0, to: .converting($1)) }
            count = elementCount
        }
    }

    /// The only element of an array that has one.
    public func item<E: Element>(as type: E.Type = E.self) -> E {
        precondition(elementCount == 1, "item() needs exactly one element, found shape \(shape)")
        if E.elementType == elementType { return storage.pointer.load(as: E.self) }
        return elements(as: E.self)[0]
    }

    /// The array converted to another element type (through Double, rounded once).
    public func converted(to target: ElementType) -> NDArray {
        if target == elementType { return self }
        func convert<E: Element>(_: E.Type) -> NDArray {
            NDArray(elements(as: E.self), shape: shape)
        }
        switch target {
        case .bool: return convert(Bool.self)
        case .uint8: return convert(UInt8.self)
        case .int32: return convert(Int32.self)
        case .int64: return convert(Int64.self)
        case .bfloat16: return convert(BFloat16.self)
        case .float16: return convert(Float16.self)
        case .float32: return convert(Float.self)
        case .float64: return convert(Double.self)
        }
    }

    /// Rows `range` of the first axis.
    public func rows(_ range: Range<Int>) -> NDArray {
        precondition(
            shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) are out of range for the shape \(shape)")
        let rowBytes = shape.dropFirst().reduce(elementType.byteCount, *)
        var result = NDArray(zeros: Shape([range.count] + shape.dropFirst()), elementType)
        let source = UnsafeRawBufferPointer(
            start: storage.pointer + range.lowerBound * rowBytes, count: range.count * rowBytes)
        result.withUnsafeMutableBytes { $0.copyMemory(from: source) }
        return result
    }
}

// MARK: - Access to memory

extension NDArray {
    public func withUnsafeBytes<R, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    }

    /// Writable bytes; makes the memory unique first.
    public mutating func withUnsafeMutableBytes<R, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        if !isKnownUniquelyReferenced(&storage) || !storage.ownsMemory { storage = storage.copy() }
        return try body(
            UnsafeMutableRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    }

    /// The elements as a typed buffer. Traps unless the array has this element type.
    public func withElements<E: Element, R>(
        _ type: E.Type, _ body: (UnsafeBufferPointer<E>) throws -> R
    ) rethrows -> R {
        precondition(
            E.elementType == elementType,
            "expected elements of \(E.elementType), found \(elementType)")
        return try withUnsafeBytes { try body($0.assumingMemoryBound(to: E.self)) }
    }

    /// The elements as a writable typed buffer. Traps unless the array has this element type.
    public mutating func withMutableElements<E: Element, R>(
        _ type: E.Type, _ body: (UnsafeMutableBufferPointer<E>) throws -> R
    ) rethrows -> R {
        precondition(
            E.elementType == elementType,
            "expected elements of \(E.elementType), found \(elementType)")
        return try withUnsafeMutableBytes { try body($0.assumingMemoryBound(to: E.self)) }
    }

    private func forEachDouble(_ body: (Int, Double) -> Void) {
        func visit<E: Element>(_: E.Type) {
            withElements(E.self) { for index in $0.indices { body(index, $0[index].doubleValue) } }
        }
        switch elementType {
        case .bool: visit(Bool.self)
        case .uint8: visit(UInt8.self)
        case .int32: visit(Int32.self)
        case .int64: visit(Int64.self)
        case .bfloat16: visit(BFloat16.self)
        case .float16: visit(Float16.self)
        case .float32: visit(Float.self)
        case .float64: visit(Double.self)
        }
    }
}

extension NDArray: Equatable {
    /// Same shape, type and bytes (so NaN equals itself and 0 differs from -0).
    public static func == (first: NDArray, second: NDArray) -> Bool {
        first.shape == second.shape && first.elementType == second.elementType
            && first.withUnsafeBytes { a in second.withUnsafeBytes { b in a.elementsEqual(b) } }
    }
}
