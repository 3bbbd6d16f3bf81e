import Arrays

/// The sum over a window around each position of an axis: `y[c] = x[c - before] + ... + x[c + after]`,
/// where what lies outside is 0.
public struct WindowSum: Operation {
    public let axis: Int
    public let before: Int
    public let after: Int

    public init(axis: Int, before: Int, after: Int) {
        (self.axis, self.before, self.after) = (axis, before, after)
    }

    public var name: String { "windowSum(\(before), \(after))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        _ = checkChannels(inputs[0], axis: axis)
        guard before >= 0, after >= 0 else { fail("a window cannot have negative extents") }
        return inputs
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true])
    }

    /// Who sees a position from the other side.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [Tensor(WindowSum(axis: axis, before: after, after: before), call.gradient)]
    }

    /// The positions whose values a position adds up.
    public func window(of position: Int, extent: Int) -> Range<Int> {
        max(0, position - min(before, extent))..<min(extent, position + min(after, extent) + 1)
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var y = inputs[0]
        let view = ChannelView(y.shape, axis: axis)
        let x = y.elements
        view.forEach { offset, channel, _ in
            var sum: T = 0
            for other in window(of: channel, extent: view.channels) {
                sum += x[offset + (other - channel) * view.inner]
            }
            y.elements[offset] = sum
        }
        return [y]
    }
}

extension Tensor {
    /// The sums over windows along an axis that is not the first; see ``WindowSum``.
    public func windowSum(axis: Int = -1, before: Int, after: Int) -> Tensor {
        Tensor(
            WindowSum(axis: shape.normalized(axis: axis), before: before, after: after), self)
    }
}
