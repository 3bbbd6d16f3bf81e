import Arrays
import Layers
import Normalization

extension ModelDescription {
    /// More parameters than this are refused: a slip of the keyboard should not fill the memory.
    public static let maximumParameterCount = 1 << 30

    /// Makes the layers for samples of a shape. Throws with the layer's position and name where something
    /// does not fit.
    public func build(input: Shape) throws(ConfigurationError) -> Sequential {
        var shape = input
        var parameters = 0
        return try LayerBuilderStep.stack(layers, "", &shape, &parameters)
    }
}

/// Makes one layer.
struct LayerBuilderStep {
    let layer: ModelDescription.Layer
    /// Where it is, for messages.
    let position: String

    /// Makes layers one after another.
    static func stack(
        _ layers: [ModelDescription.Layer], _ place: String, _ shape: inout Shape,
        _ parameters: inout Int
    ) throws(ConfigurationError) -> Sequential {
        var modules: [Module] = []
        for (index, layer) in layers.enumerated() {
            let position = "\(place)layer \(index) (\(layer.kind))"
            let builder = LayerBuilderStep(layer: layer, position: position)
            modules.append(try builder.build(&shape, &parameters))
        }
        return Sequential(modules)
    }

    func error(_ message: String) -> ConfigurationError {
        ConfigurationError("\(position): \(message)")
    }

    func build(_ shape: inout Shape, _ parameters: inout Int) throws(ConfigurationError) -> Module {
        switch layer.kind {
        case .dense: return try dense(&shape, &parameters)
        case .conv1D, .conv2D, .conv3D, .depthwiseConv1D, .depthwiseConv2D, .depthwiseConv3D:
            return try convolution(&shape, &parameters)
        case .convTranspose1D, .convTranspose2D:
            return try transposedConvolution(&shape, &parameters)
        case .maxPool, .averagePool, .globalMaxPool, .globalAveragePool, .adaptiveMaxPool,
            .adaptiveAveragePool:
            return try pooling(&shape)
        case .pad: return try padding(&shape)
        case .upsample: return try upsampling(&shape)
        case .residual: return try residual(&shape, &parameters)
        case .batchNorm: return try batchNorm(shape)
        case .layerNorm:
            guard let features = shape.last else { throw error("expected samples with an axis") }
            return LayerNorm(
                features, epsilon: try positive("epsilon", 1e-5), scale: flag("scale", true),
                center: flag("center", true))
        case .batchRenorm, .ghostBatchNorm, .groupNorm, .instanceNorm, .rmsNorm,
            .filterResponseNorm, .evonormB0, .evonormS0:
            return try normalizer(shape)
        case .relu: return ReLU()
        case .relu6: return ReLU6()
        case .leakyRelu: return LeakyReLU(slope: number("slope", 0.01))
        case .elu: return ELU(scale: number("scale", 1))
        case .gelu: return GELU(approximate: flag("approximate", false))
        case .silu: return SiLU()
        case .sigmoid: return Sigmoid()
        case .tanh: return Tanh()
        case .softplus: return Softplus()
        case .softmax: return Softmax()
        case .dropout:
            let rate = number("rate", 0.5)
            guard rate >= 0, rate < 1 else {
                throw error("rate: expected 0 to below 1, found \(rate)")
            }
            return Dropout(rate)
        case .flatten:
            shape = [shape.elementCount]
            return Flatten()
        case .reshape: return try reshape(&shape)
        }
    }

    private func dense(_ shape: inout Shape, _ parameters: inout Int) throws(ConfigurationError)
        -> Module
    {
        guard let inputs = shape.last else { throw error("expected samples with an axis") }
        guard case .integer(let outputs)? = layer.options["outputs"] else {
            throw error("expected the number of outputs, as in 'dense: 128'")
        }
        try count(&parameters, [outputs, inputs])
        let initializer = try initializer("xavier")
        shape = Shape(Array(shape.dropLast()) + [outputs])
        return try reparametrized(
            Dense(inputs, outputs, bias: flag("bias", true), initializer: initializer))
    }

    /// Adds the numbers of a weight. Throws when they are none, or too many.
    func count(_ parameters: inout Int, _ weight: [Int]) throws(ConfigurationError) {
        let total = checkedElementCount(weight) ?? .max
        guard total > 0, total <= ModelDescription.maximumParameterCount - parameters else {
            throw error(
                "outputs: expected 1 or more, and at most \(ModelDescription.maximumParameterCount) "
                    + "parameters in all, found a weight of \(weight)")
        }
        parameters += total
    }

    func initializer(_ fallback: String) throws(ConfigurationError) -> Initializer {
        do { return try Initializer(parsing: text("init", fallback)) } catch {
            throw self.error("init: \(error)")
        }
    }

    /// The layer with what `weight` says.
    func reparametrized(_ layer: Module) throws(ConfigurationError) -> Module {
        switch text("weight", "plain") {
        case "plain": return layer
        case "weight": return WeightNorm(layer)
        case "spectral": return SpectralNorm(layer)
        case "standardized": return WeightStandardization(layer)
        case let other:
            throw error(
                "weight: expected plain, weight, spectral or standardized, found '\(other)'")
        }
    }

    /// The normalizers with the channels last.
    private func normalizer(_ shape: Shape) throws(ConfigurationError) -> Module {
        guard let channels = shape.last else { throw error("expected samples with an axis") }
        let epsilon = try positive("epsilon", 1e-5)
        switch layer.kind {
        case .batchRenorm: return BatchRenorm(channels, epsilon: epsilon)
        case .ghostBatchNorm:
            guard case .integer(let size)? = layer.options["size"], size > 0 else {
                throw error("size: expected the samples of a ghost batch, 1 or more")
            }
            return GhostBatchNorm(ghostSize: size, channels, epsilon: epsilon)
        case .groupNorm, .evonormS0:
            guard case .integer(let groups)? = layer.options["groups"], groups > 0,
                channels % groups == 0
            else { throw error("groups: expected a number that divides the \(channels) channels") }
            return layer.kind == .groupNorm
                ? GroupNorm(groups: groups, channels, epsilon: epsilon)
                : EvoNormS0(groups: groups, channels, epsilon: epsilon)
        case .instanceNorm:
            guard shape.rank > 1 else {
                throw error(
                    "samples of shape \(shape) have one value per channel, which instance norm makes "
                        + "constant; use layer or group norm")
            }
            return InstanceNorm(channels, epsilon: epsilon, scale: true, center: true)
        case .rmsNorm: return RMSNorm([channels], epsilon: epsilon)
        case .filterResponseNorm: return FilterResponseNorm(channels, epsilon: epsilon)
        default: return EvoNormB0(channels, epsilon: epsilon)
        }
    }

    private func batchNorm(_ shape: Shape) throws(ConfigurationError) -> Module {
        var axis = -1
        if case .integer(let value)? = layer.options["axis"] { axis = value }
        // Axis 0 is the samples', which `shape` leaves out.
        let position = axis < 0 ? axis + shape.rank : axis - 1
        guard (0..<shape.rank).contains(position), axis != 0 else {
            throw error("axis: there is no channel axis \(axis) in samples of shape \(shape)")
        }
        let names = VarianceKind.allCases.map(\.rawValue).joined(separator: " or ")
        guard let variance = VarianceKind(rawValue: text("variance", "unbiased")) else {
            throw error("variance: expected \(names), found '\(text("variance", ""))'")
        }
        return BatchNorm(
            shape[position], axis: axis, epsilon: try positive("epsilon", 1e-5),
            average: try average(), variance: variance, scale: flag("scale", true),
            center: flag("center", true))
    }

    private func average() throws(ConfigurationError) -> RunningAverage? {
        let byCount = flag("weightedByCount", false)
        switch text("average", "exponential") {
        case "exponential":
            let weight = number("momentum", 0.1)
            guard weight > 0, weight <= 1 else {
                throw error("momentum (the new batch's weight): expected 0 to 1, found \(weight)")
            }
            return .exponential(
                weight: weight, debiased: flag("debiased", false), weightedByCount: byCount)
        case "cumulative": return .cumulative(weightedByCount: byCount)
        case "sliding":
            var window = 100
            if case .integer(let value)? = layer.options["window"] { window = value }
            guard (1...100_000).contains(window) else {
                throw error("window: expected 1 to 100000 batches, found \(window)")
            }
            return .sliding(window: window, weightedByCount: byCount)
        case "none": return nil
        case let other:
            throw error(
                "average: expected exponential, cumulative, sliding or none, found '\(other)'")
        }
    }

    private func reshape(_ shape: inout Shape) throws(ConfigurationError) -> Module {
        guard case .integers(let extents)? = layer.options["shape"] else {
            throw error("expected the shape of a sample, as in 'reshape: [28, 28, 1]'")
        }
        guard let count = checkedElementCount(extents), count > 0 else {
            throw error("shape: found \(extents)")
        }
        guard count == shape.elementCount else {
            throw error(
                "\(extents) has \(count) elements, samples of \(shape) have \(shape.elementCount)")
        }
        shape = Shape(extents)
        return Reshape(shape)
    }

    // MARK: - Options

    func flag(_ key: String, _ fallback: Bool) -> Bool {
        if case .flag(let value)? = layer.options[key] { value } else { fallback }
    }

    func number(_ key: String, _ fallback: Double) -> Double {
        if case .number(let value)? = layer.options[key] { value } else { fallback }
    }

    func text(_ key: String, _ fallback: String) -> String {
        if case .text(let value)? = layer.options[key] { value } else { fallback }
    }

    private func positive(_ key: String, _ fallback: Double) throws(ConfigurationError) -> Double {
        let value = number(key, fallback)
        guard value > 0 else { throw error("\(key): expected a positive number, found \(value)") }
        return value
    }
}
