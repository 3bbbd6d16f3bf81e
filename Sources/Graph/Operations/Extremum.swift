import Arrays

/// The largest or smallest element over axes; NaN where one of them is NaN.
public struct Extremum: Operation {
    public enum Kind: Hashable, Sendable {
        case maximum, minimum
    }

    public let kind: Kind
    /// Sorted, non-negative.
    public let axes: [Int]
    public let keepsDimensions: Bool

    public var name: String { "\(kind == .maximum ? "max" : "min")(axes: \(axes))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let shape = inputs[0].shape
        guard axes.allSatisfy({ shape[$0] > 0 }) else {
            fail("the \(kind) of no elements is undefined, found \(inputs[0])")
        }
        return [
            TensorSpec(
                shape.reduced(over: axes, keepingDimensions: keepsDimensions), inputs[0].type)
        ]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        reductionSharding(inputs[0], axes: axes)
    }

    /// Elements that tie share the gradient evenly.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let x = call.inputs[0]
        let kept = x.shape.reduced(over: axes, keepingDimensions: true)
        let hits = (x .== call.outputs[0].reshape(kept)).cast(to: x.elementType)
        let share = call.gradient.reshape(kept) / hits.sum(axes: axes, keepingDimensions: true)
        return [hits * share]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let start: T = kind == .maximum ? -.infinity : .infinity
        return [
            inputs[0].reduce(
                over: axes, keepingDimensions: keepsDimensions, from: start, combine)
        ]
    }

    public func merge<T: ReferenceScalar>(
        _ first: [Values<T>], _ second: [Values<T>]
    ) -> [Values<T>] {
        [
            Values(
                shape: first[0].shape, zip(first[0].elements, second[0].elements).map(combine))
        ]
    }

    private func combine<T: ReferenceScalar>(_ a: T, _ b: T) -> T {
        Binary(kind == .maximum ? .maximum : .minimum).apply(a, b)
    }
}

/// The position of the largest element along an axis, as int32: the first of the largest, or the first
/// NaN where there is one.
public struct ArgMax: Operation {
    /// Non-negative.
    public let axis: Int
    public let keepsDimensions: Bool

    public var name: String { "argmax(axis: \(axis))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let shape = inputs[0].shape
        guard shape[axis] > 0 else {
            fail("expected at least one element along axis \(axis), found \(inputs[0])")
        }
        return [
            TensorSpec(shape.reduced(over: [axis], keepingDimensions: keepsDimensions), .int32)
        ]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        axis == 0 ? .whole : .rows(aligned: [true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        let view = ChannelView(x.shape, axis: axis)
        var best = [T](repeating: 0, count: view.outer * view.inner)
        var positions = best
        view.forEach { offset, candidate, position in
            let value = x.elements[offset]
            let isBetter = value > best[position] || (value.isNaN && !best[position].isNaN)
            if candidate == 0 || isBetter {
                best[position] = value
                positions[position] = T(candidate)
            }
        }
        let shape = x.shape.reduced(over: [axis], keepingDimensions: keepsDimensions)
        return [Values(shape: shape, positions)]
    }
}

extension Tensor {
    /// The largest element over axes; over all of them by default. Traps where there is no element.
    public func max(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
        extremum(.maximum, axes, keepingDimensions)
    }

    /// The smallest element over axes; over all of them by default. Traps where there is no element.
    public func min(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
        extremum(.minimum, axes, keepingDimensions)
    }

    /// Whether any boolean over the axes is true. Traps unless the tensor is bool.
    public func any(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
        requireBool("any")
        return extremum(.maximum, axes, keepingDimensions)
    }

    /// Whether all booleans over the axes are true. Traps unless the tensor is bool.
    public func all(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
        requireBool("all")
        return extremum(.minimum, axes, keepingDimensions)
    }

    /// The position of the largest element along an axis, int32; the first where several tie.
    public func argmax(axis: Int = -1, keepingDimensions: Bool = false) -> Tensor {
        Tensor(
            ArgMax(axis: shape.normalized(axis: axis), keepsDimensions: keepingDimensions), self)
    }

    private func extremum(_ kind: Extremum.Kind, _ axes: [Int]?, _ keeps: Bool) -> Tensor {
        let axes = shape.normalized(axes: axes ?? Array(0..<rank))
        if axes.isEmpty { return self }
        return Tensor(Extremum(kind: kind, axes: axes, keepsDimensions: keeps), self)
    }

    private func requireBool(_ name: String) {
        precondition(elementType == .bool, "\(name): expected a bool tensor, found \(spec)")
    }
}
