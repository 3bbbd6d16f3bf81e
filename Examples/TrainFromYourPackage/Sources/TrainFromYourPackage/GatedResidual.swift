import EvenKeel

/// `x + gate * relu(norm(dense(x)))`, with a gate per feature that starts closed: at first the block
/// passes on what it is given, and learns how much to add.
final class GatedResidual: Module {
    // Layers and parameters in stored properties are found by reflection, under these names.
    let dense: Dense
    let norm: BatchNorm
    let gate: Parameter

    init(_ features: Int) {
        // No bias in front of a batch norm: it would be subtracted again with the mean.
        dense = Dense(features, features, bias: false, initializer: .heNormal)
        norm = BatchNorm(features)
        gate = Parameter([features], role: .scale, initializer: .zeros)
        super.init()
    }

    override func call(_ input: Tensor, _ context: Context) -> Tensor {
        let addition = norm(dense(input, context), context).relu()
        return input + gate.tensor * addition
    }
}
