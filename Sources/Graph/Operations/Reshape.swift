import Arrays

/// The same elements in the same order under another shape. Never moves memory.
public struct Reshape: Operation {
    public let shape: Shape

    public var name: String { "reshape" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard inputs[0].shape.elementCount == shape.elementCount, shape.allSatisfy({ $0 >= 0 })
        else {
            fail(
                "\(inputs[0].shape) has \(inputs[0].shape.elementCount) elements, "
                    + "\(shape) has \(shape.elementCount)")
        }
        return [TensorSpec(shape, inputs[0].type)]
    }

    /// Rows stay together when one leading extent divides the other.
    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        guard let from = inputs[0].shape.first, let to = shape.first, from > 0, to > 0,
            from % to == 0 || to % from == 0
        else { return .whole }
        return .rows(aligned: [true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [call.gradient.reshape(call.inputs[0].shape)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        // A run of rows keeps the trailing extents; the leading one follows from the number of elements.
        let trailing = shape.dropFirst().reduce(1, *)
        let count = inputs[0].elements.count
        var local = shape
        if shape.rank > 0, count != shape.elementCount { local[0] = count / trailing }
        return [Values(shape: local, inputs[0].elements)]
    }
}

/// Repetition along axes of extent 1 (and new leading axes), as NumPy broadcasts.
public struct Broadcast: Operation {
    public let shape: Shape
    /// Whether axis 0 is new or repeated. Otherwise the result has as many rows as the input, which may
    /// be a run of rows.
    public let repeatsRows: Bool

    public init(from input: Shape, to shape: Shape) {
        self.shape = shape
        repeatsRows = input.rank != shape.rank || input.first != shape.first
    }

    public var name: String { "broadcast(\(shape))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard Shape.broadcast(inputs[0].shape, shape) == shape, shape.allSatisfy({ $0 >= 0 })
        else {
            fail("\(inputs[0].shape) does not broadcast to \(shape)")
        }
        return [TensorSpec(shape, inputs[0].type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        guard shape.rank > 0 else { return .whole }
        return .rows(aligned: [!repeatsRows])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [call.gradient.sum(to: call.inputs[0].shape)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var local = shape
        if !repeatsRows, shape.rank > 0 { local[0] = inputs[0].shape[0] }
        return [inputs[0].broadcast(to: local)]
    }
}

extension Tensor {
    /// The same elements under another shape; one extent may be -1 and follows from the others.
    public func reshape(_ shape: Shape) -> Tensor {
        var target = shape
        if let free = shape.firstIndex(of: -1) {
            let others = shape.enumerated().reduce(1) { $1.offset == free ? $0 : $0 * $1.element }
            precondition(
                others > 0 && self.shape.elementCount % others == 0,
                "reshape: \(self.shape) cannot fill \(shape)")
            target[free] = self.shape.elementCount / others
        }
        return target == self.shape ? self : Tensor(Reshape(shape: target), self)
    }

    /// Merges all axes from `axis` on into one.
    public func flattened(from axis: Int = 1) -> Tensor {
        reshape(Shape(Array(shape.prefix(axis)) + [shape.dropFirst(axis).reduce(1, *)]))
    }

    /// Repeats along axes of extent 1 to reach `shape`. Traps where it does not fit.
    public func broadcast(to shape: Shape) -> Tensor {
        shape == self.shape ? self : Tensor(Broadcast(from: self.shape, to: shape), self)
    }

    /// A new axis of extent 1.
    public func expanded(axis: Int) -> Tensor {
        let position = axis < 0 ? axis + rank + 1 : axis
        precondition(
            position >= 0 && position <= rank,
            "expanded: no place for a new axis \(axis) in \(spec)")
        var extents = shape.dimensions
        extents.insert(1, at: position)
        return reshape(Shape(extents))
    }
}
