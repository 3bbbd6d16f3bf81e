import Arrays

/// `((x - mean - low) * scale + shift) * gamma + beta` with one mean, scale and shift per row and group of
/// channels, and one gamma and beta per channel: the normalization of layer, group and instance norm, and
/// the shape of their gradients.
///
/// Inputs: `x`, then the parts that are present (see ``GroupParts``).
public struct GroupScale: Operation {
    public let axis: Int
    public let groups: Int
    public let parts: GroupParts

    public init(axis: Int, groups: Int, parts: GroupParts) {
        self.axis = axis
        self.groups = groups
        self.parts = parts
    }

    public var name: String { "groupScale" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkGroups(inputs[0], axis: axis, groups: groups)
        checkParts(
            inputs, parts.positions(after: 1), x: inputs[0], axis: axis, groups: groups)
        return [inputs[0]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        let vectors = parts.positions(after: 1).vectors
        return .rows(aligned: inputs.indices.map { !vectors.contains($0) })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let positions = parts.positions(after: 1)
        let given = GroupTensors(call.inputs, positions)
        let (x, dy) = (call.inputs[0], call.gradient)
        var result = [Tensor?](repeating: nil, count: call.inputs.count)
        result[0] = dy.groupScale(
            axis: axis, groups: groups, GroupTensors(scale: given.scale, gamma: given.gamma))
        if [positions.mean, positions.scale, positions.shift].contains(where: { wanted($0, call) })
        {
            let sums = dy.groupSums(
                with: x, axis: axis, groups: groups,
                GroupTensors(mean: given.mean, low: given.low, gamma: given.gamma))
            if let position = positions.mean {
                result[position] = -(given.scale.map { sums.sum * $0 } ?? sums.sum)
            }
            if let position = positions.scale { result[position] = sums.centredSum }
            if let position = positions.shift { result[position] = sums.sum }
        }
        if wanted(positions.gamma, call) || wanted(positions.beta, call) {
            let sums = dy.groupParameterSums(
                with: x, axis: axis, groups: groups,
                GroupTensors(
                    mean: given.mean, low: given.low, scale: given.scale, shift: given.shift))
            if let position = positions.gamma { result[position] = sums.gamma }
            if let position = positions.beta { result[position] = sums.beta }
        }
        return result
    }

    private func wanted(_ position: Int?, _ call: GradientCall) -> Bool {
        position.map { call.wanted[$0] } ?? false
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var y = inputs[0]
        let given = GroupNumbers(inputs, parts.positions(after: 1))
        GroupView(y.shape, axis: axis, groups: groups).forEach { offset, statistic, channel in
            y.elements[offset] =
                given.scaled(y.elements[offset], statistic) * (given.gamma?[channel] ?? 1)
                + (given.beta?[channel] ?? 0)
        }
        return [y]
    }
}

extension Tensor {
    /// `((x - mean - low) * scale + shift) * gamma + beta`, with float64 `[rows, groups]` statistics and
    /// float64 `[channels]` parameters; missing parts are 0, 0, 1, 0, 1 and 0.
    public func groupScale(
        axis: Int = -1, groups: Int = 1, mean: Tensor? = nil, low: Tensor? = nil,
        scale: Tensor? = nil, shift: Tensor? = nil, gamma: Tensor? = nil, beta: Tensor? = nil
    ) -> Tensor {
        groupScale(
            axis: shape.normalized(axis: axis), groups: groups,
            GroupTensors(
                mean: mean, low: low, scale: scale, shift: shift, gamma: gamma, beta: beta))
    }

    func groupScale(axis: Int, groups: Int, _ given: GroupTensors) -> Tensor {
        let operation = GroupScale(axis: axis, groups: groups, parts: given.parts)
        if given.inputs.isEmpty { return self }
        return Node(operation, [self] + given.inputs).tensor
    }
}
