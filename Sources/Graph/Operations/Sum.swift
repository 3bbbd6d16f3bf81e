import Arrays

/// The sum over axes.
public struct Sum: Operation {
    /// Sorted, non-negative.
    public let axes: [Int]
    public let keepsDimensions: Bool

    public var name: String { "sum(axes: \(axes))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard inputs[0].type.isFloatingPoint else {
            fail("expected a floating-point tensor, found \(inputs[0]); convert it with cast(to:)")
        }
        return [
            TensorSpec(
                inputs[0].shape.reduced(over: axes, keepingDimensions: keepsDimensions),
                inputs[0].type)
        ]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        reductionSharding(inputs[0], axes: axes)
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let shape = call.inputs[0].shape
        return [
            call.gradient.reshape(shape.reduced(over: axes, keepingDimensions: true)).broadcast(
                to: shape)
        ]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        return [x.reduce(over: axes, keepingDimensions: keepsDimensions, from: 0) { $0 + $1 }]
    }
}

/// Reductions over axes that include the rows merge; over others they are work per row.
func reductionSharding(_ input: TensorSpec, axes: [Int]) -> Sharding {
    if input.shape.rank == 0 { return .whole }
    return axes.contains(0) ? .reduction(aligned: [true]) : .rows(aligned: [true])
}

extension Values {
    /// Folds the elements along axes.
    func reduce(
        over axes: [Int], keepingDimensions: Bool, from initial: T, _ combine: (T, T) -> T
    ) -> Values {
        let kept = shape.reduced(over: axes, keepingDimensions: true)
        let removed = Set(axes)
        let strides = kept.strides.enumerated().map { removed.contains($0) ? 0 : $1 }
        var result = [T](repeating: initial, count: kept.elementCount)
        var position = 0
        shape.forEachIndex { index in
            let target = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
            result[target] = combine(result[target], elements[position])
            position += 1
        }
        return Values(
            shape: shape.reduced(over: axes, keepingDimensions: keepingDimensions), result)
    }
}

extension Tensor {
    /// The sum over axes; over all of them by default.
    public func sum(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
        let axes = shape.normalized(axes: axes ?? Array(0..<rank))
        if axes.isEmpty { return self }
        return Tensor(Sum(axes: axes, keepsDimensions: keepingDimensions), self)
    }

    /// The mean over axes; over all of them by default.
    public func mean(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
        let axes = shape.normalized(axes: axes ?? Array(0..<rank))
        let count = axes.reduce(1) { $0 * shape[$1] }
        return sum(axes: axes, keepingDimensions: keepingDimensions) * (1 / Double(count))
    }

    /// Sums over the axes along which `target` was broadcast to this shape.
    func sum(to target: Shape) -> Tensor {
        if target == shape { return self }
        let offset = rank - target.rank
        let axes = (0..<rank).filter { $0 < offset || (target[$0 - offset] == 1 && shape[$0] != 1) }
        return sum(axes: axes, keepingDimensions: true).reshape(target)
    }
}
