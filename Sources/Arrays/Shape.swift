/// The extents of an array, outermost axis first. `[]` is the shape of a scalar.
///
/// Memory is always row-major and contiguous: the last axis varies fastest. For images that means
/// channels last, `[samples, height, width, channels]`.
public struct Shape: Hashable, Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    public var dimensions: [Int]

    @inlinable
    public init(_ dimensions: [Int]) { self.dimensions = dimensions }

    @inlinable
    public init(arrayLiteral elements: Int...) { dimensions = elements }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { dimensions.count }

    @inlinable
    public subscript(axis: Int) -> Int {
        get { dimensions[axis] }
        set { dimensions[axis] = newValue }
    }

    /// The number of axes.
    @inlinable public var rank: Int { dimensions.count }

    /// The number of elements; 1 for a scalar.
    @inlinable public var elementCount: Int { dimensions.reduce(1, *) }

    /// Row-major strides in elements.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        return strides
    }

    /// Turns an axis that may count from the end (-1 is the last) into one that counts from the front.
    ///
    /// Traps when the axis is out of range.
    public func normalized(axis: Int) -> Int {
        precondition(
            axis >= -rank && axis < rank,
            "axis \(axis) is out of range for the shape \(self) of rank \(rank)")
        return axis < 0 ? axis + rank : axis
    }

    /// Sorted, non-negative, distinct axes. Traps when one is out of range or named twice.
    public func normalized(axes: [Int]) -> [Int] {
        let sorted = axes.map { normalized(axis: $0) }.sorted()
        for (first, second) in zip(sorted, sorted.dropFirst()) {
            precondition(first != second, "axis \(first) is named twice in \(axes)")
        }
        return sorted
    }

    /// The shape with the given axes removed, or kept with extent 1.
    public func reduced(over axes: [Int], keepingDimensions: Bool) -> Shape {
        let removed = Set(normalized(axes: axes))
        var result: [Int] = []
        for (axis, extent) in dimensions.enumerated() {
            if !removed.contains(axis) {
                result.append(extent)
            } else if keepingDimensions {
                result.append(1)
            }
        }
        return Shape(result)
    }

    /// The common shape of two operands under NumPy's broadcasting rules, or nil.
    public static func broadcast(_ first: Shape, _ second: Shape) -> Shape? {
        let rank = Swift.max(first.rank, second.rank)
        var result = [Int](repeating: 1, count: rank)
        for axis in 0..<rank {
            let a = axis < rank - first.rank ? 1 : first[axis - (rank - first.rank)]
            let b = axis < rank - second.rank ? 1 : second[axis - (rank - second.rank)]
            guard a == b || a == 1 || b == 1 else { return nil }
            result[axis] = a == 1 ? b : a
        }
        return Shape(result)
    }
}

extension Shape: CustomStringConvertible {
    public var description: String {
        "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    }
}
