import Arrays

/// Rows of a table, chosen by int32 indices.
///
/// Inputs: the table `[rows, ...]` of any type, and the indices `[...]`. Output: the indices' shape
/// followed by a row's. An index outside the table gives a row of NaN (of zeros for other types).
public struct Gather: Operation {
    /// Whether an index outside the table gives NaN instead of zeros.
    public let marksInvalid: Bool

    public var name: String { "gather" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard inputs[0].shape.rank >= 1 else {
            fail("expected a table of rank 1 or more, found \(inputs[0])")
        }
        checkIndices(inputs[1])
        return [
            TensorSpec(
                Shape(inputs[1].shape.dimensions + inputs[0].shape.dropFirst()), inputs[0].type)
        ]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        inputs[1].shape.rank == 0 ? .whole : .rows(aligned: [false, true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let scatter = ScatterAdd(rows: call.inputs[0].shape[0])
        return [Tensor(scatter, call.gradient, call.inputs[1]), nil]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (table, indices) = (inputs[0], inputs[1])
        let length = table.shape.dropFirst().reduce(1, *)
        let missing = [T](repeating: marksInvalid ? .nan : 0, count: length)
        let elements = indices.elements.flatMap { value in
            position(value, count: table.shape[0]).map { row in
                Array(table.elements[(row * length)..<((row + 1) * length)])
            } ?? missing
        }
        return [Values(shape: Shape(indices.shape.dimensions + table.shape.dropFirst()), elements)]
    }
}

/// A table of zeros to whose rows, chosen by int32 indices, values are added: the gradient of `Gather`.
/// Indices outside the table add nothing.
///
/// Inputs: the values (the indices' shape followed by a row's) and the indices. Output: `[rows, ...]`.
public struct ScatterAdd: Operation {
    /// The rows of the table.
    public let rows: Int

    public var name: String { "scatterAdd(\(rows))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (values, indices) = (inputs[0], inputs[1])
        checkIndices(indices)
        guard values.type.isFloatingPoint, rows >= 0,
            values.shape.prefix(indices.shape.rank).elementsEqual(indices.shape)
        else {
            fail("expected a floating-point row for each of \(indices), found \(values)")
        }
        return [TensorSpec(Shape([rows] + values.shape.dropFirst(indices.shape.rank)), values.type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        inputs[1].shape.rank == 0 ? .whole : .reduction(aligned: [true, true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [Tensor(Gather(marksInvalid: false), call.gradient, call.inputs[1]), nil]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (values, indices) = (inputs[0], inputs[1])
        let row = values.shape.dropFirst(indices.shape.rank)
        let length = row.reduce(1, *)
        var table = Values<T>(repeating: 0, shape: Shape([rows] + row))
        for (source, value) in indices.elements.enumerated() {
            guard let target = position(value, count: rows) else { continue }
            for offset in 0..<length {
                table.elements[target * length + offset] +=
                    values.elements[source * length + offset]
            }
        }
        return [table]
    }
}

/// A vector for each int32 index: 1 at the index, 0 elsewhere. An index out of range gives NaN.
public struct OneHot: Operation {
    /// The extent of the new last axis.
    public let classes: Int
    public let type: ElementType

    public var name: String { "oneHot(\(classes))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkIndices(inputs[0])
        guard classes > 0, type.isFloatingPoint else {
            fail("expected a positive number of classes and a floating-point type, found \(type)")
        }
        return [TensorSpec(Shape(inputs[0].shape.dimensions + [classes]), type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        inputs[0].shape.rank == 0 ? .whole : .rows(aligned: [true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let elements: [T] = inputs[0].elements.flatMap { value in
            guard let hot = position(value, count: classes) else {
                return [T](repeating: .nan, count: classes)
            }
            return (0..<classes).map { $0 == hot ? 1 : 0 }
        }
        return [Values(shape: Shape(inputs[0].shape.dimensions + [classes]), elements)]
    }
}

extension Operation {
    /// Traps unless the tensor is int32.
    func checkIndices(_ indices: TensorSpec) {
        guard indices.type == .int32 else {
            fail("expected int32 indices, found \(indices); convert them with cast(to:)")
        }
    }

    /// An index held as a number, or nil where it is not in `0..<count`.
    func position<T: ReferenceScalar>(_ value: T, count: Int) -> Int? {
        Int(exactly: value).flatMap { (0..<count).contains($0) ? $0 : nil }
    }
}

extension Tensor {
    /// The rows of this table that int32 indices choose: of shape `indices.shape + shape.dropFirst()`.
    /// An index outside the table gives a row of NaN (of zeros where the table holds no
    /// floating-point numbers).
    public func gather(_ indices: Tensor) -> Tensor {
        Tensor(Gather(marksInvalid: elementType.isFloatingPoint), self, indices)
    }

    /// A table of zeros with so many rows, to which these rows are added where int32 indices say.
    public func scatterAdded(at indices: Tensor, rows: Int) -> Tensor {
        Tensor(ScatterAdd(rows: rows), self, indices)
    }

    /// For each int32 index a vector that is 1 at the index and 0 elsewhere, NaN for an index out of
    /// range: of shape `shape + [classes]`.
    public func oneHot(classes: Int, _ type: ElementType = .float32) -> Tensor {
        Tensor(OneHot(classes: classes, type: type), self)
    }
}
