import Arrays

/// Layer norm's gradient of its input in one pass: `a * gamma * dy + b * (x - mean - low) + c`, with a, b
/// and c per row and group. Made by fusion only.
///
/// Inputs: `dy`, `x`, `a`, then mean, low, `b` (as scale), `c` (as shift) and gamma where present.
public struct GroupInputGradient: Operation {
    public let axis: Int
    public let groups: Int
    public let parts: GroupParts

    public init(axis: Int, groups: Int, parts: GroupParts) {
        self.axis = axis
        self.groups = groups
        self.parts = parts
    }

    public var name: String { "groupInputGradient" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkGroups(inputs[1], axis: axis, groups: groups)
        checkParts(
            inputs, parts.positions(after: 3), x: inputs[1], axis: axis, groups: groups)
        return [inputs[1]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        let vectors = parts.positions(after: 3).vectors
        return .rows(aligned: inputs.indices.map { !vectors.contains($0) })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        fail("fused forms have no gradient rule")
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var dx = inputs[1]
        let given = GroupNumbers(inputs, parts.positions(after: 3))
        GroupView(dx.shape, axis: axis, groups: groups).forEach { offset, statistic, channel in
            dx.elements[offset] =
                inputs[2].elements[statistic] * (given.gamma?[channel] ?? 1)
                * inputs[0].elements[offset] + given.scaled(dx.elements[offset], statistic)
        }
        return [dx]
    }
}
