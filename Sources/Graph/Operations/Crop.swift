import Arrays

/// A box of a tensor: a range along each axis, or nil for the whole of it.
public struct Crop: Operation {
    /// One entry for each axis. A whole axis is nil, not a range, so that runs of rows slice alike.
    public let ranges: [Range<Int>?]

    public var name: String {
        let parts = ranges.map { range in range.map { "\($0)" } ?? "..." }
        return "crop(\(parts.joined(separator: ", ")))"
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let shape = inputs[0].shape
        guard ranges.count == shape.rank else {
            fail("expected a range for each of \(shape.rank) axes, found \(ranges.count)")
        }
        for (range, extent) in zip(ranges, shape) {
            if let range, range.lowerBound < 0 || range.upperBound > extent {
                fail("the range is out of bounds for \(inputs[0])")
            }
        }
        return [TensorSpec(result(shape), inputs[0].type)]
    }

    private func result(_ shape: Shape) -> Shape {
        Shape(zip(ranges, shape).map { $0?.count ?? $1 })
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        ranges.first == .some(nil) ? .rows(aligned: [true]) : .whole
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let shape = call.inputs[0].shape
        let pad = Pad(
            before: ranges.map { $0?.lowerBound ?? 0 },
            after: zip(ranges, shape).map { range, extent in extent - (range?.upperBound ?? extent)
            }
        )
        return [Tensor(pad, call.gradient)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        let strides = x.shape.strides
        let origin = zip(ranges, strides).reduce(0) { $0 + ($1.0?.lowerBound ?? 0) * $1.1 }
        var elements: [T] = []
        let shape = result(x.shape)
        shape.forEachIndex { index in
            elements.append(x.elements[origin + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }])
        }
        return [Values(shape: shape, elements)]
    }
}

/// Zeros around a tensor: the gradient of `Slice`.
public struct Pad: Operation {
    /// How many zeros stand in front of and behind each axis.
    public let before: [Int]
    public let after: [Int]

    public var name: String { "pad(\(before), \(after))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard before.count == inputs[0].shape.rank, after.count == before.count,
            (before + after).allSatisfy({ $0 >= 0 })
        else {
            fail("expected non-negative paddings for each axis of \(inputs[0])")
        }
        return [TensorSpec(result(inputs[0].shape), inputs[0].type)]
    }

    private func result(_ shape: Shape) -> Shape {
        Shape(shape.indices.map { before[$0] + shape[$0] + after[$0] })
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        before.first == 0 && after.first == 0 ? .rows(aligned: [true]) : .whole
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let shape = call.inputs[0].shape
        let ranges = shape.indices.map { before[$0]..<(before[$0] + shape[$0]) }
        return [call.gradient.sliced(ranges)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        var y = Values<T>(repeating: 0, shape: result(x.shape))
        let strides = y.shape.strides
        let origin = zip(before, strides).reduce(0) { $0 + $1.0 * $1.1 }
        var position = 0
        x.shape.forEachIndex { index in
            y.elements[origin + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }] =
                x.elements[position]
            position += 1
        }
        return [y]
    }
}

extension Tensor {
    /// The box with the given range along each axis. Traps where a range is out of bounds.
    public func sliced(_ ranges: [Range<Int>]) -> Tensor {
        precondition(
            ranges.count == rank,
            "sliced: expected a range for each axis of \(spec), found \(ranges.count)")
        let parts = zip(ranges, shape).map { $0 == 0..<$1 ? nil : $0 }
        return parts.allSatisfy { $0 == nil } ? self : Tensor(Crop(ranges: parts), self)
    }

    /// A range of one axis and the whole of the others. Traps where it is out of bounds.
    public func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
        var ranges = shape.map { 0..<$0 }
        ranges[shape.normalized(axis: axis)] = range
        return sliced(ranges)
    }

    /// Zeros around the tensor: so many in front of and behind each axis.
    public func padded(before: [Int], after: [Int]) -> Tensor {
        if (before + after).allSatisfy({ $0 == 0 }) && before.count == rank { return self }
        return Tensor(Pad(before: before, after: after), self)
    }
}
