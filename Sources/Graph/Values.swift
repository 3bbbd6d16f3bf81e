import Arrays

/// A plain array of the reference backend. Integers and booleans are held as numbers too.
public struct Values<T: ReferenceScalar>: Sendable {
    public var shape: Shape
    public var elements: [T]

    public init(shape: Shape, _ elements: [T]) {
        precondition(
            elements.count == shape.elementCount,
            "the shape \(shape) has \(shape.elementCount) elements, found \(elements.count)")
        self.shape = shape
        self.elements = elements
    }

    public init(repeating value: T, shape: Shape) {
        self.init(shape: shape, [T](repeating: value, count: shape.elementCount))
    }

    public init(_ array: NDArray) {
        self.init(shape: array.shape, array.elements(as: T.self))
    }

    /// The values as an array of the given type.
    public func array(_ type: ElementType) -> NDArray {
        NDArray(elements, shape: shape).converted(to: type)
    }

    public func map(_ transform: (T) -> T) -> Values {
        Values(shape: shape, elements.map(transform))
    }

    /// This array repeated along the axes where it has extent 1, as NumPy broadcasts.
    public func broadcast(to target: Shape) -> Values {
        if target == shape { return self }
        var strides = [Int](repeating: 0, count: target.rank)
        let own = shape.strides
        for axis in 0..<shape.rank where shape[axis] != 1 {
            strides[target.rank - shape.rank + axis] = own[axis]
        }
        var result: [T] = []
        result.reserveCapacity(target.elementCount)
        target.forEachIndex { index in
            result.append(elements[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }])
        }
        return Values(shape: target, result)
    }
}

extension Shape {
    /// Visits every index in row-major order.
    public func forEachIndex(_ body: ([Int]) -> Void) {
        var index = [Int](repeating: 0, count: rank)
        for _ in 0..<elementCount {
            body(index)
            var axis = rank - 1
            while axis >= 0 {
                index[axis] += 1
                if index[axis] < self[axis] { break }
                index[axis] = 0
                axis -= 1
            }
        }
    }
}
