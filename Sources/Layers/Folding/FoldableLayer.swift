import Arrays
import Graph
import Normalization

/// A layer that is linear in its input, so that a batch norm beside it can become part of it.
protocol FoldableLayer: Module {
    var weight: Parameter { get }
    var bias: Parameter? { get }
    var groups: Int { get }
    var isTransposed: Bool { get }

    /// A layer of the same form, with a bias.
    func makeWithBias() -> any FoldableLayer
}

extension FoldableLayer {
    /// The weight's numbers, with what its axes mean.
    var linearWeight: LinearWeight {
        LinearWeight(
            weight.value.elements(), shape: weight.shape, groups: groups,
            isTransposed: isTransposed)
    }

    /// A layer of the same form with other numbers.
    func replaced(_ numbers: LinearWeight, _ biases: [Double]) -> any FoldableLayer {
        let result = makeWithBias()
        let type = weight.value.elementType
        result.convert(to: type)
        result.weight.value = NDArray(numbers.numbers, shape: weight.shape).converted(to: type)
        result.bias?.value = NDArray(biases).converted(to: type)
        return result
    }
}

extension Dense: FoldableLayer {
    var groups: Int { 1 }
    var isTransposed: Bool { false }
    func makeWithBias() -> any FoldableLayer { Dense(inputs, outputs) }
}

extension ConvolutionLayer: FoldableLayer {
    var isTransposed: Bool { self is TransposedConvolutionLayer }

    func makeWithBias() -> any FoldableLayer {
        let (kernel, strides) = (PerAxis(kernel), PerAxis(strides))
        let dilations = PerAxis(dilations)
        switch self {
        case is Conv1D:
            return Conv1D(
                inputs, outputs, kernel: kernel, strides: strides, padding: padding,
                dilations: dilations, groups: groups)
        case is Conv2D:
            return Conv2D(
                inputs, outputs, kernel: kernel, strides: strides, padding: padding,
                dilations: dilations, groups: groups)
        case is Conv3D:
            return Conv3D(
                inputs, outputs, kernel: kernel, strides: strides, padding: padding,
                dilations: dilations, groups: groups)
        case let layer as ConvTranspose1D:
            return ConvTranspose1D(
                inputs, outputs, kernel: kernel, strides: strides, padding: padding,
                outputPadding: PerAxis(layer.outputPadding), dilations: dilations, groups: groups)
        case let layer as ConvTranspose2D:
            return ConvTranspose2D(
                inputs, outputs, kernel: kernel, strides: strides, padding: padding,
                outputPadding: PerAxis(layer.outputPadding), dilations: dilations, groups: groups)
        default: preconditionFailure("\(type(of: self)): not a convolution that is known")
        }
    }
}
