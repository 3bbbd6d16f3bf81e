import Arrays

/// Tensors one behind the other along an axis.
public struct Concatenate: Operation {
    /// Non-negative.
    public let axis: Int

    public var name: String { "concatenate(axis: \(axis))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let type = commonType(inputs)
        var shape = inputs[0].shape
        for input in inputs.dropFirst() {
            var expected = shape
            if input.shape.rank == shape.rank { expected[axis] = input.shape[axis] }
            guard input.shape == expected else {
                fail("the shapes \(inputs[0].shape) and \(input.shape) differ beside axis \(axis)")
            }
        }
        shape[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
        return [TensorSpec(shape, type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        axis == 0 ? .whole : .rows(aligned: inputs.map { _ in true })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        var start = 0
        return zip(call.inputs, call.wanted).map { input, isWanted in
            let range = start..<(start + input.shape[axis])
            start = range.upperBound
            return isWanted ? call.gradient.sliced(range, axis: axis) : nil
        }
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var shape = inputs[0].shape
        shape[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
        var result: [T] = []
        result.reserveCapacity(shape.elementCount)
        for outer in 0..<shape[..<axis].reduce(1, *) {
            for input in inputs {
                let run = input.shape[axis...].reduce(1, *)
                result += input.elements[(outer * run)..<((outer + 1) * run)]
            }
        }
        return [Values(shape: shape, result)]
    }
}

extension Tensor {
    /// Tensors one behind the other along an axis. Traps unless the other extents are equal.
    public static func concatenate(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
        precondition(!tensors.isEmpty, "concatenate: expected at least one tensor, found none")
        if tensors.count == 1 { return tensors[0] }
        let operation = Concatenate(axis: tensors[0].shape.normalized(axis: axis))
        return Node(operation, tensors).tensor
    }

    /// Tensors of one shape, side by side along a new axis.
    public static func stack(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
        precondition(!tensors.isEmpty, "stack: expected at least one tensor, found none")
        for tensor in tensors where tensor.shape != tensors[0].shape {
            preconditionFailure(
                "stack: the shapes \(tensors[0].shape) and \(tensor.shape) differ")
        }
        let axis = axis < 0 ? axis + tensors[0].rank + 1 : axis
        return concatenate(tensors.map { $0.expanded(axis: axis) }, axis: axis)
    }

    /// Parts of the given extents along an axis. Traps unless they add up to its extent.
    public func split(sizes: [Int], axis: Int = 0) -> [Tensor] {
        let axis = shape.normalized(axis: axis)
        precondition(
            sizes.allSatisfy { $0 >= 0 } && sizes.reduce(0, +) == shape[axis],
            "split: the sizes \(sizes) do not add up to extent \(shape[axis]) of axis \(axis)")
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return sliced(start..<(start + size), axis: axis)
        }
    }

    /// The given number of equal parts along an axis. Traps unless it divides the extent.
    public func split(count: Int, axis: Int = 0) -> [Tensor] {
        let extent = shape[shape.normalized(axis: axis)]
        precondition(
            count > 0 && extent % count == 0,
            "split: an extent of \(extent) has no \(count) equal parts")
        return split(sizes: Array(repeating: extent / count, count: count), axis: axis)
    }
}
