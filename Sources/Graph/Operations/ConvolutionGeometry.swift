import Arrays

/// How a kernel slides over the spatial axes of an image: strides, zeros around it, dilations, groups.
///
/// An image is `[samples, spatial axes..., channels]` with one to three spatial axes; a weight is
/// `[outputs, inputs / groups, kernel extents...]`, as PyTorch keeps it.
public struct ConvolutionGeometry: Hashable, Sendable {
    /// Steps from one position of the kernel to the next, one per spatial axis.
    public let strides: [Int]
    /// Zeros in front of and behind each spatial axis.
    public let before: [Int]
    public let after: [Int]
    /// Distances between neighbouring elements of the kernel.
    public let dilations: [Int]
    /// Into how many groups input and output channels are divided; each output sees its own group only.
    public let groups: Int

    public init(
        strides: [Int], before: [Int], after: [Int], dilations: [Int], groups: Int = 1
    ) {
        self.strides = strides
        self.before = before
        self.after = after
        self.dilations = dilations
        self.groups = groups
    }

    /// The number of spatial axes.
    public var rank: Int { strides.count }

    /// From the first to the last element of a dilated kernel.
    public func reach(_ kernel: Int, axis: Int) -> Int { dilations[axis] * (kernel - 1) + 1 }

    /// How many positions the kernel has along an axis of an image. The kernel must fit.
    public func positions(_ extent: Int, kernel: Int, axis: Int) -> Int {
        (extent + before[axis] + after[axis] - reach(kernel, axis: axis)) / strides[axis] + 1
    }

    /// The shape of the result. The shapes must have been checked.
    func output(_ image: Shape, _ weight: Shape) -> Shape {
        let spatial = (0..<rank).map { positions(image[$0 + 1], kernel: weight[$0 + 2], axis: $0) }
        return Shape([image[0]] + spatial + [weight[0]])
    }

    /// Calls `body` with the offsets of every product `x * w` that is added to an element of `y`.
    func forEachTerm(
        x: Shape, w: Shape, y: Shape, _ body: (_ x: Int, _ w: Int, _ y: Int) -> Void
    ) {
        let (inputs, outputs) = (w[1], w[0] / groups)
        let kernel = Shape(Array(w.dropFirst(2)))
        let taps = kernel.elementCount
        Shape(Array(y.dropLast())).forEachIndex { position in
            let target = zip(position, y.strides).reduce(0) { $0 + $1.0 * $1.1 }
            var tap = -1
            kernel.forEachIndex { offsets in
                tap += 1
                var source = position[0] * x.strides[0]
                for axis in 0..<rank {
                    let place =
                        position[axis + 1] * strides[axis] - before[axis]
                        + offsets[axis] * dilations[axis]
                    guard place >= 0, place < x[axis + 1] else { return }
                    source += place * x.strides[axis + 1]
                }
                for output in 0..<w[0] {
                    let first = output / outputs * inputs
                    for input in 0..<inputs {
                        body(
                            source + first + input, (output * inputs + input) * taps + tap,
                            target + output)
                    }
                }
            }
        }
    }
}

extension Operation {
    /// Traps unless an image and a weight fit each other and the geometry.
    func check(_ geometry: ConvolutionGeometry, image: TensorSpec, weight: Shape) {
        let rank = geometry.rank
        let (x, groups) = (image.shape, geometry.groups)
        guard image.type.isFloatingPoint else {
            fail("expected a floating-point image, found \(image); convert it with cast(to:)")
        }
        let lists = [geometry.before, geometry.after, geometry.dilations]
        guard (1...3).contains(rank), lists.allSatisfy({ $0.count == rank }) else {
            fail("expected strides, paddings and dilations for each of 1 to 3 spatial axes")
        }
        guard geometry.strides.allSatisfy({ $0 > 0 }) else {
            fail("expected strides of at least 1, found \(geometry.strides)")
        }
        guard geometry.dilations.allSatisfy({ $0 > 0 }) else {
            fail("expected dilations of at least 1, found \(geometry.dilations)")
        }
        guard (geometry.before + geometry.after).allSatisfy({ $0 >= 0 }) else {
            fail("expected paddings of at least 0, found \(geometry.before), \(geometry.after)")
        }
        guard x.rank == rank + 2 else {
            fail("expected an image of [samples, \(rank) spatial axes, channels], found \(image)")
        }
        guard weight.rank == rank + 2, weight.allSatisfy({ $0 > 0 }) else {
            fail(
                "expected a weight of [outputs, inputs, \(rank) kernel extents], found \(weight)")
        }
        guard groups > 0, weight[0] % groups == 0, x[rank + 1] % groups == 0 else {
            fail(
                "\(groups) groups do not divide \(x[rank + 1]) input and \(weight[0]) output channels"
            )
        }
        guard weight[1] * groups == x[rank + 1] else {
            let grouped = groups == 1 ? "" : " in each of \(groups) groups"
            fail(
                "the weight \(weight) is for \(weight[1]) input channels\(grouped), "
                    + "found an image of \(x) with \(x[rank + 1])")
        }
        for axis in 0..<rank {
            let padded = x[axis + 1] + geometry.before[axis] + geometry.after[axis]
            let reach = geometry.reach(weight[axis + 2], axis: axis)
            guard reach <= padded else {
                fail(
                    "a kernel that reaches over \(reach) positions is larger than the padded image, "
                        + "which has \(padded) along axis \(axis + 1) of \(x)")
            }
        }
    }
}
