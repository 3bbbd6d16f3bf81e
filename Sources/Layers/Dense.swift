import Arrays
import Graph

/// A fully connected layer: `y = x Wᵀ + b`.
///
/// Input `[..., inputs]`, output `[..., outputs]`; the weight is `[outputs, inputs]` as in PyTorch. Traps
/// when the input's last axis has another extent. Of a 16-bit input the products are computed in float32.
public final class Dense: Module {
    public let inputs: Int
    public let outputs: Int
    public let weight: Parameter
    public let bias: Parameter?

    public init(
        _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .xavierUniform,
        biasInitializer: Initializer = .zeros
    ) {
        precondition(
            inputs > 0 && outputs > 0,
            "Dense: expected positive numbers of inputs and outputs, found \(inputs) and \(outputs)"
        )
        self.inputs = inputs
        self.outputs = outputs
        weight = Parameter([outputs, inputs], initializer: initializer)
        self.bias =
            bias
            ? Parameter(
                [outputs], role: .bias, initializer: biasInitializer,
                fans: Fans(inputs: inputs, outputs: outputs)) : nil
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        guard input.rank >= 2, input.shape.last == inputs else {
            fail(context, "expected an input of [samples, ..., \(inputs)], found \(input.shape)")
        }
        let matrix = input.rank == 2 ? input : input.reshape([-1, inputs])
        let product = matrix.throughFloat32 { matrix in
            let product = matrix.matmul(
                weight.tensor.cast(to: matrix.elementType), transposingOther: true)
            return bias.map { product + $0.tensor.cast(to: matrix.elementType) } ?? product
        }
        return input.rank == 2
            ? product : product.reshape(Shape(Array(input.shape.dropLast()) + [outputs]))
    }
}
