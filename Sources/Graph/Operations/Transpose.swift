import Arrays

/// The axes in another order: axis i of the result is axis `permutation[i]` of the input.
public struct Transpose: Operation {
    public let permutation: [Int]

    public var name: String { "transpose(\(permutation))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let shape = inputs[0].shape
        guard permutation.sorted() == Array(0..<shape.rank) else {
            fail("expected a permutation of the axes of \(inputs[0])")
        }
        return [TensorSpec(Shape(permutation.map { shape[$0] }), inputs[0].type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        permutation.isEmpty ? .whole : .rows(aligned: [permutation[0] == 0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        var inverse = permutation
        for (position, axis) in permutation.enumerated() { inverse[axis] = position }
        return [call.gradient.transposed(axes: inverse)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        let strides = x.shape.strides
        let shape = Shape(permutation.map { x.shape[$0] })
        var result: [T] = []
        result.reserveCapacity(x.elements.count)
        shape.forEachIndex { index in
            result.append(
                x.elements[zip(index, permutation).reduce(0) { $0 + $1.0 * strides[$1.1] }])
        }
        return [Values(shape: shape, result)]
    }
}

extension Tensor {
    /// The axes in another order: axis i of the result is axis `axes[i]` of this tensor, counted from the
    /// end where negative. Traps unless every axis is named once.
    public func transposed(axes: [Int]) -> Tensor {
        let permutation = axes.map { shape.normalized(axis: $0) }
        if permutation == Array(0..<rank) { return self }
        return Tensor(Transpose(permutation: permutation), self)
    }

    /// A matrix, or each matrix of a stack, with rows and columns exchanged.
    public func transposed() -> Tensor {
        precondition(rank >= 2, "transposed: expected rank 2 or more, found \(spec)")
        return exchangingAxes(-2, -1)
    }

    /// The tensor with two axes exchanged.
    public func exchangingAxes(_ first: Int, _ second: Int) -> Tensor {
        var axes = Array(0..<rank)
        axes.swapAt(shape.normalized(axis: first), shape.normalized(axis: second))
        return transposed(axes: axes)
    }
}
