import Arrays

/// A linear map along one axis: each element of the result is a weighted sum of a few elements of the input.
///
/// It is what average pooling, padding with reflected or repeated edges, and upsampling are made of, one
/// axis after the other. The gradient is the transposed map.
public struct AxisMap: Operation {
    /// One term of a weighted sum.
    public struct Tap: Hashable, Sendable {
        /// The position in the input.
        public var source: Int
        public var weight: Double

        public init(source: Int, weight: Double) {
            self.source = source
            self.weight = weight
        }
    }

    /// What is done, for plans and messages.
    public let name: String
    /// Non-negative.
    public let axis: Int
    /// The extent of the axis in the input.
    public let extent: Int
    /// The terms of all positions of the result, one position after the other.
    public let taps: [Tap]
    /// Where in ``taps`` each position's terms begin, and last where they end.
    public let bounds: [Int]

    /// The extent of the axis in the result.
    public var outputExtent: Int { bounds.count - 1 }

    /// Traps unless every tap lies in the input.
    ///
    /// - Parameters:
    ///   - extent: of the axis in the input.
    ///   - outputExtent: of the axis in the result.
    ///   - taps: the terms of a position of the result; none means zero.
    public init(
        _ name: String, axis: Int, extent: Int, outputExtent: Int, taps: (Int) -> [Tap]
    ) {
        var all: [Tap] = []
        var bounds = [0]
        bounds.reserveCapacity(outputExtent + 1)
        for position in 0..<outputExtent {
            all += taps(position)
            bounds.append(all.count)
        }
        self.init(name, axis: axis, extent: extent, taps: all, bounds: bounds)
    }

    private init(_ name: String, axis: Int, extent: Int, taps: [Tap], bounds: [Int]) {
        for tap in taps where tap.source < 0 || tap.source >= extent {
            preconditionFailure("\(name): position \(tap.source) is not in 0..<\(extent)")
        }
        self.name = name
        self.axis = axis
        self.extent = extent
        self.taps = taps
        self.bounds = bounds
    }

    /// The terms of a position of the result.
    public func taps(at position: Int) -> ArraySlice<Tap> {
        taps[bounds[position]..<bounds[position + 1]]
    }

    /// The map in the other direction, from the result's positions to the input's.
    public var transposed: AxisMap {
        var ends = [Int](repeating: 0, count: extent + 1)
        for tap in taps { ends[tap.source + 1] += 1 }
        for position in 0..<extent { ends[position + 1] += ends[position] }
        let bounds = ends
        var columns = [Tap](repeating: Tap(source: 0, weight: 0), count: taps.count)
        for position in 0..<outputExtent {
            for tap in taps(at: position) {
                columns[ends[tap.source]] = Tap(source: position, weight: tap.weight)
                ends[tap.source] += 1
            }
        }
        return AxisMap(
            name.hasSuffix("Gradient") ? String(name.dropLast(8)) : name + "Gradient", axis: axis,
            extent: outputExtent, taps: columns, bounds: bounds)
    }

    private func result(_ shape: Shape) -> Shape {
        var shape = shape
        shape[axis] = outputExtent
        return shape
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let shape = inputs[0].shape
        guard inputs[0].type.isFloatingPoint, axis < shape.rank, shape[axis] == extent else {
            fail(
                "expected a floating-point tensor with extent \(extent) on axis \(axis), found "
                    + "\(inputs[0])")
        }
        return [TensorSpec(result(shape), inputs[0].type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        axis == 0 ? .whole : .rows(aligned: [true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [Tensor(transposed, call.gradient)]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        let shape = result(x.shape)
        let stride = x.shape.strides[axis]
        var elements: [T] = []
        elements.reserveCapacity(shape.elementCount)
        shape.forEachIndex { index in
            var base = 0
            for (other, position) in index.enumerated() where other != axis {
                base += position * x.shape.strides[other]
            }
            elements.append(
                taps(at: index[axis]).reduce(0) {
                    $0 + x.elements[base + $1.source * stride] * T($1.weight)
                })
        }
        return [Values(shape: shape, elements)]
    }
}
