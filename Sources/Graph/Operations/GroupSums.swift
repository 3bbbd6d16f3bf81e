import Arrays

/// The two sums of layer norm's backward pass, per row and group: of `dy * gamma`, and of
/// `dy * gamma * (x - mean - low)`. Both are float64 `[rows, groups]`.
///
/// Inputs: `dy`, `x`, then mean, low and gamma where present.
public struct GroupSums: Operation {
    public let axis: Int
    public let groups: Int
    public let parts: GroupParts

    public init(axis: Int, groups: Int, parts: GroupParts) {
        self.axis = axis
        self.groups = groups
        self.parts = parts
    }

    public var name: String { "groupSums" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkGroups(inputs[1], axis: axis, groups: groups)
        guard inputs[0] == inputs[1] else {
            fail("expected dy of \(inputs[1]), found \(inputs[0])")
        }
        checkParts(
            inputs, parts.positions(after: 2), x: inputs[1], axis: axis, groups: groups)
        let statistic = TensorSpec([inputs[1].shape[0], groups], .float64)
        return [statistic, statistic]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        let vectors = parts.positions(after: 2).vectors
        return .rows(aligned: inputs.indices.map { !vectors.contains($0) })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let positions = parts.positions(after: 2)
        let given = GroupTensors(call.inputs, positions)
        let (dy, x) = (call.inputs[0], call.inputs[1])
        let (first, second) = (call.upstream[0], call.upstream[1])
        var result = [Tensor?](repeating: nil, count: call.inputs.count)
        // gamma * (first + second * (x - mean))
        let scale = second ?? Tensor.zeros(first!.shape, .float64)
        var argument = GroupTensors(mean: given.mean, low: given.low, scale: scale, shift: first)
        argument.gamma = given.gamma
        result[0] = x.groupScale(axis: axis, groups: groups, argument)
        if let second {
            result[1] = dy.groupScale(
                axis: axis, groups: groups, GroupTensors(scale: second, gamma: given.gamma))
            if let position = positions.mean { result[position] = -(second * call.outputs[0]) }
        }
        if let position = positions.gamma {
            argument.gamma = nil
            result[position] =
                dy.groupParameterSums(with: x, axis: axis, groups: groups, argument).gamma
        }
        return result
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (dy, x) = (inputs[0].elements, inputs[1].elements)
        let given = GroupNumbers(inputs, parts.positions(after: 2))
        let view = GroupView(inputs[1].shape, axis: axis, groups: groups)
        var sum = [T](repeating: 0, count: view.rows * groups)
        var centredSum = sum
        view.forEach { offset, statistic, channel in
            let weighted = dy[offset] * (given.gamma?[channel] ?? 1)
            sum[statistic] += weighted
            centredSum[statistic] += weighted * given.centred(x[offset], statistic)
        }
        return [sum, centredSum].map { Values(shape: [view.rows, groups], $0) }
    }
}

extension Tensor {
    func groupSums(
        with x: Tensor, axis: Int, groups: Int, _ given: GroupTensors
    ) -> (sum: Tensor, centredSum: Tensor) {
        let operation = GroupSums(axis: axis, groups: groups, parts: given.parts)
        let node = Node(operation, [self, x] + given.inputs)
        return (node.tensors[0], node.tensors[1])
    }
}

/// The gradients of gamma and beta, per channel over all rows: the sums of
/// `dy * ((x - mean - low) * scale + shift)` and of `dy`. Both are float64 `[channels]`.
///
/// Inputs: `dy`, `x`, then mean, low, scale and shift where present.
public struct GroupParameterSums: Operation {
    public let axis: Int
    public let groups: Int
    public let parts: GroupParts

    public init(axis: Int, groups: Int, parts: GroupParts) {
        self.axis = axis
        self.groups = groups
        self.parts = parts
    }

    public var name: String { "groupParameterSums" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkGroups(inputs[1], axis: axis, groups: groups)
        guard inputs[0] == inputs[1] else {
            fail("expected dy of \(inputs[1]), found \(inputs[0])")
        }
        checkParts(
            inputs, parts.positions(after: 2), x: inputs[1], axis: axis, groups: groups)
        let vector = TensorSpec([inputs[1].shape[axis]], .float64)
        return [vector, vector]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .reduction(aligned: inputs.map { _ in true })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let positions = parts.positions(after: 2)
        var given = GroupTensors(call.inputs, positions)
        let (dy, x) = (call.inputs[0], call.inputs[1])
        var result = [Tensor?](repeating: nil, count: call.inputs.count)
        given.gamma = call.upstream[0] ?? Tensor.zeros([x.shape[axis]], .float64)
        given.beta = call.upstream[1]
        result[0] = x.groupScale(axis: axis, groups: groups, given)
        guard call.upstream[0] != nil else { return result }
        result[1] = dy.groupScale(
            axis: axis, groups: groups, GroupTensors(scale: given.scale, gamma: given.gamma))
        guard [positions.mean, positions.scale, positions.shift].contains(where: { $0 != nil })
        else { return result }
        let sums = dy.groupSums(
            with: x, axis: axis, groups: groups,
            GroupTensors(mean: given.mean, low: given.low, gamma: given.gamma))
        if let position = positions.mean {
            result[position] = -(given.scale.map { sums.sum * $0 } ?? sums.sum)
        }
        if let position = positions.scale { result[position] = sums.centredSum }
        if let position = positions.shift { result[position] = sums.sum }
        return result
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (dy, x) = (inputs[0].elements, inputs[1].elements)
        let given = GroupNumbers(inputs, parts.positions(after: 2))
        let view = GroupView(inputs[1].shape, axis: axis, groups: groups)
        var gamma = [T](repeating: 0, count: view.channels)
        var beta = gamma
        view.forEach { offset, statistic, channel in
            gamma[channel] += dy[offset] * given.scaled(x[offset], statistic)
            beta[channel] += dy[offset]
        }
        return [gamma, beta].map { Values(shape: [view.channels], $0) }
    }
}

extension Tensor {
    func groupParameterSums(
        with x: Tensor, axis: Int, groups: Int, _ given: GroupTensors
    ) -> (gamma: Tensor, beta: Tensor) {
        let operation = GroupParameterSums(axis: axis, groups: groups, parts: given.parts)
        let node = Node(operation, [self, x] + given.inputs)
        return (node.tensors[0], node.tensors[1])
    }
}
