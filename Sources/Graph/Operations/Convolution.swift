import Arrays

/// Convolution as networks mean it (the kernel is not flipped), channels last.
///
/// Inputs: the image `[samples, spatial axes..., inputs]` and the weight
/// `[outputs, inputs / groups, kernel extents...]`. Output: `[samples, positions..., outputs]`.
///
/// It is bilinear, and so are its two gradients: the three operations are each other's gradients.
public struct Convolution: Operation {
    public let geometry: ConvolutionGeometry

    public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

    public var name: String { "convolution" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let type = commonType(inputs)
        check(geometry, image: inputs[0], weight: inputs[1].shape)
        return [TensorSpec(geometry.output(inputs[0].shape, inputs[1].shape), type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, false])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (x, w) = (call.inputs[0], call.inputs[1])
        return [
            call.wanted[0] ? geometry.imageGradient(call.gradient, w, like: x.shape) : nil,
            call.wanted[1] ? geometry.weightGradient(x, call.gradient, like: w.shape) : nil,
        ]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (x, w) = (inputs[0], inputs[1])
        var y = Values<T>(repeating: 0, shape: geometry.output(x.shape, w.shape))
        geometry.forEachTerm(x: x.shape, w: w.shape, y: y.shape) {
            y.elements[$2] += x.elements[$0] * w.elements[$1]
        }
        return [y]
    }
}

/// The gradient of a convolution by its image; also transposed convolution.
///
/// Inputs: the gradient of the result `[samples, positions..., outputs]` and the weight. Output: of the
/// image's shape.
public struct ConvolutionInputGradient: Operation {
    public let geometry: ConvolutionGeometry
    /// The spatial extents of the image.
    public let extents: [Int]

    public init(_ geometry: ConvolutionGeometry, extents: [Int]) {
        self.geometry = geometry
        self.extents = extents
    }

    public var name: String { "convolutionInputGradient" }

    private func image(_ dy: Shape, _ w: Shape) -> Shape {
        Shape([dy[0]] + extents + [w[1] * geometry.groups])
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (dy, w) = (inputs[0].shape, inputs[1].shape)
        let type = commonType(inputs)
        guard dy.rank == geometry.rank + 2, w.rank == dy.rank, extents.count == geometry.rank else {
            fail("expected an image and a weight of rank \(geometry.rank + 2), found \(dy), \(w)")
        }
        let result = TensorSpec(image(dy, w), type)
        check(geometry, image: result, weight: w)
        let expected = geometry.output(result.shape, w)
        guard dy == expected else {
            fail("a convolution of \(result.shape) with \(w) gives \(expected), found \(dy)")
        }
        return [result]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, false])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (dy, w) = (call.inputs[0], call.inputs[1])
        return [
            call.wanted[0] ? Tensor(Convolution(geometry), call.gradient, w) : nil,
            call.wanted[1] ? geometry.weightGradient(call.gradient, dy, like: w.shape) : nil,
        ]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (dy, w) = (inputs[0], inputs[1])
        var dx = Values<T>(repeating: 0, shape: image(dy.shape, w.shape))
        geometry.forEachTerm(x: dx.shape, w: w.shape, y: dy.shape) {
            dx.elements[$0] += dy.elements[$2] * w.elements[$1]
        }
        return [dx]
    }
}

/// The gradient of a convolution by its weight: a sum over samples.
///
/// Inputs: the image and the gradient of the result. Output: of the weight's shape.
public struct ConvolutionWeightGradient: Operation {
    public let geometry: ConvolutionGeometry
    /// The extents of the kernel.
    public let kernel: [Int]

    public init(_ geometry: ConvolutionGeometry, kernel: [Int]) {
        self.geometry = geometry
        self.kernel = kernel
    }

    public var name: String { "convolutionWeightGradient" }

    private func weight(_ x: Shape, _ dy: Shape) -> Shape {
        Shape([dy[dy.rank - 1], x[x.rank - 1] / max(geometry.groups, 1)] + kernel)
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (x, dy) = (inputs[0].shape, inputs[1].shape)
        let type = commonType(inputs)
        guard x.rank == geometry.rank + 2, dy.rank == x.rank, kernel.count == geometry.rank else {
            fail("expected two images of rank \(geometry.rank + 2), found \(x) and \(dy)")
        }
        let result = weight(x, dy)
        check(geometry, image: inputs[0], weight: result)
        guard dy == geometry.output(x, result) else {
            fail(
                "a convolution of \(x) with \(result) gives \(geometry.output(x, result)), "
                    + "found \(dy)")
        }
        return [TensorSpec(result, type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .reduction(aligned: [true, true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (x, dy) = (call.inputs[0], call.inputs[1])
        return [
            call.wanted[0] ? geometry.imageGradient(dy, call.gradient, like: x.shape) : nil,
            call.wanted[1] ? Tensor(Convolution(geometry), x, call.gradient) : nil,
        ]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (x, dy) = (inputs[0], inputs[1])
        var dw = Values<T>(repeating: 0, shape: weight(x.shape, dy.shape))
        geometry.forEachTerm(x: x.shape, w: dw.shape, y: dy.shape) {
            dw.elements[$1] += x.elements[$0] * dy.elements[$2]
        }
        return [dw]
    }
}

extension ConvolutionGeometry {
    fileprivate func imageGradient(_ dy: Tensor, _ w: Tensor, like image: Shape) -> Tensor {
        let extents = Array(image.dropFirst().dropLast())
        return Tensor(ConvolutionInputGradient(self, extents: extents), dy, w)
    }

    fileprivate func weightGradient(_ x: Tensor, _ dy: Tensor, like weight: Shape) -> Tensor {
        let kernel = Array(weight.dropFirst(2))
        return Tensor(ConvolutionWeightGradient(self, kernel: kernel), x, dy)
    }
}
