import Arrays
import Datasets
import Graph
import Layers

/// How the numbers of a data set become a model's inputs.
struct InputScaling: Hashable {
    var scale: Float = 1
    var shift: Float = 0
    var normalization: ChannelNormalization?

    init() {}

    init(_ data: Dataset) {
        (scale, shift, normalization) = (data.scale, data.shift, data.normalization)
    }

    /// The same as one factor and one term for each channel.
    func perChannel(_ channels: Int) -> (scale: [Double], shift: [Double]) {
        guard let normalization else {
            return (
                [Double](repeating: Double(scale), count: channels),
                [Double](repeating: Double(shift), count: channels)
            )
        }
        return (
            normalization.deviation.map { Double(scale) / $0 },
            zip(normalization.mean, normalization.deviation).map { (Double(shift) - $0) / $1 }
        )
    }
}

extension Module {
    /// The rows of a batch, converted, scaled, shifted and normalized.
    func gatherInput(_ features: Tensor, _ indices: Tensor, _ scaling: InputScaling) -> Tensor {
        input(features.gather(indices), scaling)
    }

    /// Rows of features of a data set, as the model's input.
    package func input(_ rows: Tensor, of data: Dataset) -> Tensor {
        input(rows, InputScaling(data))
    }

    private func input(_ rows: Tensor, _ scaling: InputScaling) -> Tensor {
        var input = rows.cast(to: elementType)
        if let normalization = scaling.normalization {
            let affine = scaling.perChannel(normalization.mean.count)
            input = input * Tensor(NDArray(affine.scale).converted(to: elementType))
            return input + Tensor(NDArray(affine.shift).converted(to: elementType))
        }
        if scaling.scale != 1 { input = input * Double(scaling.scale) }
        if scaling.shift != 0 { input = input + Double(scaling.shift) }
        return input
    }
}
