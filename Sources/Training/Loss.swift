import Arrays
import Graph

/// What a training makes small: one loss for each sample, from the model's output and the targets.
public struct Loss: Sendable {
    public let name: String
    /// Gives a loss for each sample, `[samples]` (or for each position of each sample).
    public let samplewise: @Sendable (_ output: Tensor, _ target: Tensor) -> Tensor

    public init(
        _ name: String,
        _ samplewise: @escaping @Sendable (_ output: Tensor, _ target: Tensor) -> Tensor
    ) {
        self.name = name
        self.samplewise = samplewise
    }

    /// The cross-entropy of softmax(output) with integer labels.
    public static let crossEntropy = crossEntropy(labelSmoothing: 0)

    /// The cross-entropy of softmax(output) with smoothed integer labels (Szegedy et al. 2016).
    public static func crossEntropy(labelSmoothing: Double) -> Loss {
        Loss("crossEntropy") { output, target in
            output.crossEntropy(target.cast(to: .int32), labelSmoothing: labelSmoothing)
        }
    }

    /// The binary cross-entropy of logits with targets in 0...1 of the output's shape.
    public static let binaryCrossEntropy = Loss("binaryCrossEntropy") { output, target in
        output.binaryCrossEntropy(logits: target.cast(to: output.elementType))
    }

    public static let meanSquaredError = Loss("meanSquaredError") { output, target in
        output.meanSquaredError(target.cast(to: output.elementType))
    }

    public static let meanAbsoluteError = Loss("meanAbsoluteError") { output, target in
        output.meanAbsoluteError(target.cast(to: output.elementType))
    }

    public static func huber(delta: Double = 1) -> Loss {
        Loss("huber") { output, target in
            output.huber(target.cast(to: output.elementType), delta: delta)
        }
    }
}
