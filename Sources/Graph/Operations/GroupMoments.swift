import Arrays

/// The moments of each row and group of channels: the statistics of layer norm (one group), group norm
/// and instance norm (a group for every channel). Samples do not meet.
///
/// Outputs, float64 `[rows, groups]`: the mean, what its rounding left over, and the biased variance. With
/// `isCentred` false, the mean of the squares alone, as RMS norm needs it.
public struct GroupMoments: Operation {
    /// The channel axis.
    public let axis: Int
    public let groups: Int
    public let isCentred: Bool

    public init(axis: Int, groups: Int, isCentred: Bool = true) {
        self.axis = axis
        self.groups = groups
        self.isCentred = isCentred
    }

    public var name: String { isCentred ? "groupMoments" : "groupMeanSquare" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkGroups(inputs[0], axis: axis, groups: groups)
        let statistic = TensorSpec([inputs[0].shape[0], groups], .float64)
        return isCentred ? [statistic, statistic, statistic] : [statistic]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true])
    }

    /// d mean / dx = 1 / n and d variance / dx = 2 (x - mean) / n.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let x = call.inputs[0]
        let count = Double(GroupView(x.shape, axis: axis, groups: groups).valuesPerGroup)
        let second = call.upstream[isCentred ? 2 : 0].map { $0 * (2 / count) }
        let first = isCentred ? call.upstream[0].map { $0 * (1 / count) } : nil
        guard first != nil || second != nil else { return [nil] }
        let statistics = GroupTensors(
            mean: isCentred ? call.outputs[0] : nil, low: isCentred ? call.outputs[1] : nil,
            scale: second ?? Tensor.zeros([x.shape[0], groups], .float64), shift: first)
        return [x.groupScale(axis: axis, groups: groups, statistics)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0].elements
        let view = GroupView(inputs[0].shape, axis: axis, groups: groups)
        func average(_ value: (Int, Int) -> T) -> [T] {
            var sums = [T](repeating: 0, count: view.rows * groups)
            view.forEach { offset, statistic, _ in sums[statistic] += value(offset, statistic) }
            return sums.map { view.valuesPerGroup == 0 ? 0 : $0 / T(view.valuesPerGroup) }
        }
        let shape: Shape = [view.rows, groups]
        guard isCentred else {
            return [Values(shape: shape, average { offset, _ in x[offset] * x[offset] })]
        }
        // From the first value on, so that equal values have exactly their value as mean.
        var origin = [T](repeating: 0, count: view.rows * groups)
        view.forEach { offset, statistic, _ in origin[statistic] = x[offset] }
        let distance = average { offset, statistic in x[offset] - origin[statistic] }
        let mean = zip(origin, distance).map { $0 + $1 }
        let low = average { offset, statistic in x[offset] - mean[statistic] }
        let variance = average { offset, statistic in
            let centred = (x[offset] - mean[statistic]) - low[statistic]
            return centred * centred
        }
        return [mean, low, variance].map { Values(shape: shape, $0) }
    }
}

/// The moments of rows and groups as tensors, float64 `[rows, groups]`.
public struct GroupMomentTensors: Sendable {
    public let mean: Tensor
    /// What the rounding of the mean left over; differentiating ignores it.
    public let low: Tensor
    /// The biased variance.
    public let variance: Tensor
}

extension Tensor {
    /// The moments of each row (entry of axis 0) and group of adjacent channels, over all other axes.
    public func groupMoments(axis: Int = -1, groups: Int = 1) -> GroupMomentTensors {
        let operation = GroupMoments(axis: shape.normalized(axis: axis), groups: groups)
        let outputs = Node(operation, [self]).tensors
        return GroupMomentTensors(mean: outputs[0], low: outputs[1], variance: outputs[2])
    }

    /// The mean of the squares of each row and group of adjacent channels, float64 `[rows, groups]`.
    public func groupMeanSquare(axis: Int = -1, groups: Int = 1) -> Tensor {
        let axis = shape.normalized(axis: axis)
        return Tensor(GroupMoments(axis: axis, groups: groups, isCentred: false), self)
    }
}
