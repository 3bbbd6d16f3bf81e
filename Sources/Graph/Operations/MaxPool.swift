import Arrays

/// The windows of a pooling: along each spatial axis, the positions that belong to each output.
public struct PoolWindows: Hashable, Sendable {
    /// For each spatial axis, the range of input positions of each output position.
    public let axes: [[Range<Int>]]

    public init(_ axes: [[Range<Int>]]) { self.axes = axes }

    /// The shape of the pooled image.
    func output(_ image: Shape) -> Shape {
        Shape([image[0]] + axes.map(\.count) + [image[image.rank - 1]])
    }

    /// Calls `body` with each output element's offset and the offsets of the elements in its window, in
    /// row-major order.
    fileprivate func forEachWindow(_ image: Shape, _ body: (_ output: Int, _ window: [Int]) -> Void)
    {
        let strides = image.strides
        let channels = axes.count + 1
        var output = 0
        self.output(image).forEachIndex { index in
            var offsets = [index[0] * strides[0] + index[channels]]
            for axis in axes.indices {
                let range = axes[axis][index[axis + 1]]
                offsets = offsets.flatMap { base in range.map { base + $0 * strides[axis + 1] } }
            }
            body(output, offsets)
            output += 1
        }
    }

    /// The offset of the largest element of a window: the first of them, or the first NaN.
    fileprivate func largest<T: ReferenceScalar>(_ x: Values<T>, _ window: [Int]) -> Int {
        window.dropFirst().reduce(window[0]) { best, offset in
            let (value, champion) = (x.elements[offset], x.elements[best])
            return value > champion || (value.isNaN && !champion.isNaN) ? offset : best
        }
    }
}

/// The largest element of each window, channels last; NaN where a window holds one.
///
/// Input: `[samples, spatial axes..., channels]`. Output: `[samples, positions..., channels]`.
public struct MaxPool: Operation {
    public let windows: PoolWindows

    public init(_ windows: PoolWindows) { self.windows = windows }

    public var name: String { "maxPool" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        check(windows, inputs[0])
        return [TensorSpec(windows.output(inputs[0].shape), inputs[0].type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [Tensor(MaxPoolGradient(windows), call.inputs[0], call.gradient)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        var y = Values<T>(repeating: 0, shape: windows.output(x.shape))
        windows.forEachWindow(x.shape) { output, window in
            y.elements[output] = x.elements[windows.largest(x, window)]
        }
        return [y]
    }
}

/// The gradient of max pooling: each window's gradient goes to its largest element.
///
/// Inputs: the image and the gradient of the pooled image. Output: of the image's shape.
public struct MaxPoolGradient: Operation {
    public let windows: PoolWindows

    public init(_ windows: PoolWindows) { self.windows = windows }

    public var name: String { "maxPoolGradient" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let type = commonType(inputs)
        check(windows, inputs[0])
        let expected = windows.output(inputs[0].shape)
        guard inputs[1].shape == expected else {
            fail("expected a gradient of \(expected), found \(inputs[1].shape)")
        }
        return [TensorSpec(inputs[0].shape, type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, true])
    }

    /// Linear in the gradient, and piecewise constant in the image.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [nil, Tensor(MaxPoolSelection(windows), call.inputs[0], call.gradient)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (x, dy) = (inputs[0], inputs[1])
        var dx = Values<T>(repeating: 0, shape: x.shape)
        windows.forEachWindow(x.shape) { output, window in
            dx.elements[windows.largest(x, window)] += dy.elements[output]
        }
        return [dx]
    }
}

/// From one image, the elements where another has the largest of each window.
///
/// Inputs: the image that is compared and the one that is read, of equal shape. Output: the pooled shape.
public struct MaxPoolSelection: Operation {
    public let windows: PoolWindows

    public init(_ windows: PoolWindows) { self.windows = windows }

    public var name: String { "maxPoolSelection" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let type = commonType(inputs)
        check(windows, inputs[0])
        guard inputs[1].shape == inputs[0].shape else {
            fail("expected two images of equal shape, found \(inputs[0]) and \(inputs[1])")
        }
        return [TensorSpec(windows.output(inputs[0].shape), type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [nil, Tensor(MaxPoolGradient(windows), call.inputs[0], call.gradient)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (x, other) = (inputs[0], inputs[1])
        var y = Values<T>(repeating: 0, shape: windows.output(x.shape))
        windows.forEachWindow(x.shape) { output, window in
            y.elements[output] = other.elements[windows.largest(x, window)]
        }
        return [y]
    }
}

extension Operation {
    /// Traps unless every window lies in the image and holds something.
    fileprivate func check(_ windows: PoolWindows, _ image: TensorSpec) {
        let rank = windows.axes.count
        guard (1...3).contains(rank), image.shape.rank == rank + 2, image.type.isFloatingPoint
        else {
            fail(
                "expected a floating-point image of [samples, \(rank) spatial axes, channels], "
                    + "found \(image)")
        }
        for (axis, ranges) in windows.axes.enumerated() {
            let extent = image.shape[axis + 1]
            for range in ranges
            where range.isEmpty || range.lowerBound < 0 || range.upperBound > extent {
                fail("the window \(range) does not lie in axis \(axis + 1) of \(image)")
            }
        }
    }
}
