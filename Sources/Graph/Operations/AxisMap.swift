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
    /// The terms of each position of the result; none means zero.
    public let rows: [[Tap]]

    /// Traps unless every tap lies in the input.
    public init(_ name: String, axis: Int, extent: Int, rows: [[Tap]]) {
        for tap in rows.joined() where tap.source < 0 || tap.source >= extent {
            preconditionFailure("\(name): position \(tap.source) is not in 0..<\(extent)")
        }
        self.name = name
        self.axis = axis
        self.extent = extent
        self.rows = rows
    }

    /// The map in the other direction, from the result's positions to the input's.
    public var transposed: AxisMap {
        var columns = [[Tap]](repeating: [], count: extent)
        for (position, taps) in rows.enumerated() {
            for tap in taps {
                columns[tap.source].append(Tap(source: position, weight: tap.weight))
            }
        }
        return AxisMap(
            name.hasSuffix("Gradient") ? String(name.dropLast(8)) : name + "Gradient", axis: axis,
            extent: rows.count, rows: columns)
    }

    private func result(_ shape: Shape) -> Shape {
        var shape = shape
        shape[axis] = rows.count
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
                rows[index[axis]].reduce(0) {
                    $0 + x.elements[base + $1.source * stride] * T($1.weight)
                })
        }
        return [Values(shape: shape, elements)]
    }
}
