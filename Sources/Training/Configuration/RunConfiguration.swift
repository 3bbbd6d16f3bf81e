import Arrays
import Datasets
import Layers

/// Everything that determines a training run, as `config.yaml` in its folder holds it. The number of
/// threads is not among it: results do not depend on it.
public struct RunConfiguration: Hashable, Sendable {
    /// `fashion-mnist`, or a folder that ``Dataset/parts(folder:)`` reads.
    public var data = "fashion-mnist"
    /// A network by name; it takes `norm` from below.
    public var architecture: Architecture?
    /// A list of layers. Without it, and without a name, the model is a perceptron with the widths, norm
    /// and so on below.
    public var model: ModelDescription?
    public var hidden = [128]
    public var norm = NormKind.batch
    public var activation = LayerKind.relu
    public var initializer = "he"
    public var dropout = 0.0

    public var length = TrainingLength.epochs(3)
    public var batchSize = 128
    public var dropsLastBatch = false
    public var optimizer = OptimizerKind.adam
    public var learningRate = 1e-3
    public var momentum = 0.9
    public var l1 = 0.0
    public var l2 = 0.0
    /// Going down to zero steadies what batch statistics leave noisy at a constant rate.
    public var schedule = "cosine"
    public var seed: UInt64 = 0
    public var maximumBadBatches = 10

    public init() {}

    /// Optimizers by name.
    public enum OptimizerKind: String, Hashable, Sendable, CaseIterable {
        case sgd, adam, adamw, rmsprop
    }

    /// The layers, for samples of the data that is to be learned.
    public func description(classes: Int) -> ModelDescription {
        model
            ?? .perceptron(
                hidden: hidden, outputs: classes, norm: norm, activation: activation,
                initializer: initializer, dropout: dropout)
    }

    /// The data, as the model takes it: a perceptron gets each sample as one row of numbers.
    public func prepare(_ data: Dataset) -> Dataset {
        model == nil && architecture == nil ? data.flattened() : data
    }

    /// The model with its initial values.
    public func makeModel(_ data: Dataset) throws -> Module {
        let classes = data.classCount ?? 1
        let model: Module =
            if let architecture {
                try architecture.build(image: data.featureShape, classes: classes, norm: norm)
            } else {
                try description(classes: classes).build(input: data.featureShape)
            }
        model.initialize(seed: seed)
        return model
    }

    public func makeOptimizer() -> Optimizer {
        switch optimizer {
        case .sgd:
            SGD(learningRate: learningRate, momentum: momentum, weightDecay: l2, l1: l1)
        case .adam: Adam(learningRate: learningRate, weightDecay: l2, l1: l1)
        case .adamw: Adam.decoupled(learningRate: learningRate, weightDecay: l2, l1: l1)
        case .rmsprop: RMSProp(learningRate: learningRate, weightDecay: l2, l1: l1)
        }
    }

    /// Throws a sentence unless every number is in its range.
    public func validate() throws(ConfigurationError) {
        func require(_ condition: Bool, _ message: String) throws(ConfigurationError) {
            if !condition { throw ConfigurationError(message) }
        }
        switch length {
        case .epochs(let count):
            try require(
                (0...1_000_000).contains(count), "epochs: expected 0 to 1000000, found \(count)")
        case .steps(let count):
            try require(
                (0...1_000_000_000).contains(count), "steps: expected 0 to 10^9, found \(count)")
        }
        try require(batchSize >= 1, "batchSize: expected 1 or more, found \(batchSize)")
        try require(
            learningRate >= 0 && learningRate.isFinite,
            "learningRate: expected 0 or more, found \(learningRate)")
        try require(
            momentum >= 0 && momentum < 1, "momentum: expected 0 to below 1, found \(momentum)")
        try require(dropout >= 0 && dropout < 1, "dropout: expected 0 to below 1, found \(dropout)")
        try require(l1 >= 0 && l2 >= 0, "l1 and l2: expected 0 or more, found \(l1) and \(l2)")
        try require(
            maximumBadBatches >= 0, "maxBadBatches: expected 0 or more, found \(maximumBadBatches)")
        try require(
            hidden.allSatisfy { (1...1_000_000).contains($0) },
            "hidden: expected widths of 1 to 1000000, found \(hidden)")
        try require(
            activation.isActivation,
            "activation: expected one such as relu, sigmoid or tanh, found \(activation.rawValue)")
        _ = try Initializer(parsing: initializer)
        _ = try Schedule(parsing: schedule, totalSteps: 1)
    }
}
