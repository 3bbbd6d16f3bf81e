import Arrays
import Graph
import Layers
import Runtime
import Testing

@Suite("Layers of images")
struct ImageLayerTests {
    static var shapes: [(Module, Shape, Shape)] {
        [
            (Conv1D(2, 4, kernel: 3), [5, 9, 2], [5, 7, 4]),
            (Conv1D(2, 4, kernel: 5, padding: .same), [5, 9, 2], [5, 9, 4]),
            (Conv2D(3, 8, kernel: 3, strides: 2, padding: 1), [2, 9, 8, 3], [2, 5, 4, 8]),
            (Conv2D(4, 8, kernel: [3, 1], groups: 4), [2, 9, 8, 4], [2, 7, 8, 8]),
            (Conv2D(3, 8, kernel: 3, dilations: 2), [2, 9, 8, 3], [2, 5, 4, 8]),
            (Conv3D(1, 2, kernel: 2), [2, 4, 5, 6, 1], [2, 3, 4, 5, 2]),
            (ConvTranspose1D(3, 2, kernel: 4, strides: 2, padding: 1), [2, 5, 3], [2, 10, 2]),
            (ConvTranspose2D(3, 2, kernel: 3, strides: 2), [2, 5, 4, 3], [2, 11, 9, 2]),
            (
                ConvTranspose2D(3, 2, kernel: 3, strides: 2, padding: 1, outputPadding: 1),
                [2, 5, 4, 3], [2, 10, 8, 2]
            ),
            (MaxPool(2), [2, 5, 4, 3], [2, 2, 2, 3]),
            (MaxPool(2, roundsUp: true), [2, 5, 4, 3], [2, 3, 2, 3]),
            (MaxPool(3, strides: 2, padding: 1), [2, 112, 112, 3], [2, 56, 56, 3]),
            (AveragePool([2, 1], strides: 1), [2, 5, 4, 3], [2, 4, 4, 3]),
            (AdaptiveAveragePool([3, 2]), [2, 7, 7, 3], [2, 3, 2, 3]),
            (AdaptiveMaxPool(2), [2, 7, 3], [2, 2, 3]),
            (GlobalAveragePool(), [2, 5, 4, 3], [2, 3]),
            (GlobalMaxPool(), [2, 5, 3], [2, 3]),
            (ImagePadding(2, mode: .reflect), [2, 5, 4, 3], [2, 9, 8, 3]),
            (ImagePadding(before: [1, 0], after: 2), [2, 5, 4, 3], [2, 8, 6, 3]),
            (Upsample(by: 3, .linear()), [2, 5, 4, 3], [2, 15, 12, 3]),
        ]
    }

    @Test("Shapes are those that PyTorch gives", arguments: shapes.indices)
    func outputShape(_ index: Int) {
        let (layer, input, output) = Self.shapes[index]
        #expect(layer(Tensor.zeros(input)).shape == output)
    }

    @Test("Weights and biases have PyTorch's names and layouts")
    func names() {
        func shapes(_ layer: Module) -> [String: Shape] {
            Dictionary(
                uniqueKeysWithValues: layer.namedParameters.map { ($0.name, $0.parameter.shape) })
        }
        #expect(
            shapes(Conv2D(6, 4, kernel: [3, 5], groups: 2))
                == ["weight": [4, 3, 3, 5], "bias": [4]])
        #expect(shapes(Conv1D(6, 4, kernel: 3, bias: false)) == ["weight": [4, 6, 3]])
        #expect(
            shapes(ConvTranspose2D(6, 4, kernel: 2, groups: 2))
                == ["weight": [6, 2, 2, 2], "bias": [4]])
    }

    @Test("The bias is added to every position")
    func bias() {
        let layer = Conv2D(1, 2, kernel: 1)
        layer.weight.value = NDArray([Float(2), 3], shape: [2, 1, 1, 1])
        layer.bias!.value = NDArray([Float(10), 20])
        let y = layer(Tensor(NDArray([Float(1), 4], shape: [1, 1, 2, 1]))).evaluate()
        #expect(y.elements(as: Float.self) == [12, 23, 18, 32])
    }

    @Test("The initializer reckons with the kernel")
    func fans() {
        #expect(Conv2D(6, 4, kernel: 3, groups: 2).weight.fans == Fans(inputs: 27, outputs: 18))
        #expect(ConvTranspose2D(6, 4, kernel: 3).weight.fans == Fans(inputs: 54, outputs: 36))
    }
}
