import Arrays
import Datasets
import Graph
import Layers

/// Everything that determines a training run, as `config.yaml` in its folder holds it. The number of
/// threads is not among it: results do not depend on it.
public struct RunConfiguration: Hashable, Sendable {
    /// `fashion-mnist`, or a folder that `Dataset.parts(folder:)` reads.
    public var data = "fashion-mnist"
    /// What images of a folder are brought to; nil where they have one size.
    public var imageSize: ImageFolder.Size?
    /// A network by name; it takes `norm` from below.
    public var architecture: Architecture?
    /// A list of layers. Without it, and without a name, the model is a perceptron with the widths, norm
    /// and so on below.
    public var model: ModelDescription?
    public var hidden = [128]
    public var norm = NormKind.batch
    /// Whether each residual branch of a network by name starts with a gamma of zero at its end, so that the
    /// block begins as its shortcut (Goyal et al. 2017).
    public var zeroGamma = false
    public var activation = LayerKind.relu
    public var initializer = "he"
    public var dropout = 0.0

    public var length = TrainingLength.epochs(3)
    public var batchSize = 128
    /// So many batches make a step; see ``Trainer/accumulate``.
    public var accumulate = 1
    public var dropsLastBatch = false
    public var optimizer = OptimizerKind.adam
    public var learningRate = 1e-3
    public var momentum = 0.9
    public var l1 = 0.0
    public var l2 = 0.0
    /// Going down to zero steadies what batch statistics leave noisy at a constant rate.
    public var schedule = "cosine"
    /// So many steps the learning rate rises linearly to where the schedule then begins.
    public var warmUp = 0
    /// How much of the probability of an answer is spread over all classes, in training.
    public var labelSmoothing = 0.0
    /// The decay of the moving average of the weights; nil for none.
    public var averageDecay: Double?
    /// Random changes of training images; nil for none.
    public var augmentation: Augmentation?
    public var normalization = NormalizationChoice.none
    /// What training computes with, where the processor can.
    public var precision = Precision.float32
    public var seed: UInt64 = 0
    public var maximumBadBatches = 10
    /// Whether the model is one whose batch norms were folded away: it has layers with biases in their
    /// places, and is for inference only.
    public var isFolded = false

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

    /// Samples in a step.
    public var samplesPerStep: Int { batchSize * accumulate }

    /// The data, as the model takes it: normalized if that was asked for, and for a perceptron with each
    /// sample as one row of numbers. Throws when the channels are not those of the run's statistics.
    public func prepare(_ data: Dataset) throws(DatasetError) -> Dataset {
        let normalized = try normalization.apply(data)
        return model == nil && architecture == nil ? normalized.flattened() : normalized
    }

    /// The loss that is trained with.
    public var loss: Loss { .crossEntropy(labelSmoothing: labelSmoothing) }

    /// The factor of the learning rate over so many steps.
    public func makeSchedule(totalSteps: Int) throws(ConfigurationError) -> Schedule {
        let rest = try Schedule(parsing: schedule, totalSteps: max(totalSteps - warmUp, 1))
        return warmUp == 0 ? rest : .warmup(steps: warmUp, then: rest)
    }

    /// The model with its initial values.
    public func makeModel(_ data: Dataset) throws -> Module {
        let classes = data.classCount ?? 1
        let model: Module =
            if let architecture {
                try architecture.build(
                    image: data.featureShape, classes: classes, norm: norm,
                    zeroGamma: zeroGamma)
            } else {
                try description(classes: classes).build(input: data.featureShape)
            }
        try checkMemory(model)
        model.initialize(seed: seed)
        if isFolded {
            try model.takeFoldedStructure(
                input: TensorSpec(Shape([1] + data.featureShape), .float32))
        }
        return model
    }

    /// Initial values are drawn in float64.
    private func checkMemory(_ model: Module) throws(MemoryError) {
        let counts = model.parameters.map { Double($0.shape.elementCount) }
        let total = counts.reduce(0, +)
        try PhysicalMemory.require(
            total * 4 + (counts.max() ?? 0) * 24, for: "the model of \(Int(total)) parameters")
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
        try require(accumulate >= 1, "accumulate: expected 1 or more, found \(accumulate)")
        try require(
            !batchSize.multipliedReportingOverflow(by: accumulate).overflow,
            "accumulate: \(accumulate) batches of \(batchSize) samples are too many for a step")
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
        try require(
            (0...1_000_000_000).contains(warmUp),
            "warmUp: expected 0 to 10^9 steps, found \(warmUp)")
        try require(
            labelSmoothing >= 0 && labelSmoothing < 1,
            "labelSmoothing: expected 0 to below 1, found \(labelSmoothing)")
        try require(
            (0..<1).contains(averageDecay ?? 0),
            "ema: expected a decay of 0 to below 1, found \(averageDecay ?? 0)")
        if zeroGamma {
            let known = Architecture.allCases.filter(\.endsBranchesWithNorm).map(\.rawValue)
            try require(
                architecture?.endsBranchesWithNorm == true,
                "zeroGamma: expected a network whose residual branches end with a normalizer "
                    + "(\(known.joined(separator: ", "))); in a file of layers it is an option of "
                    + "residual")
            try require(norm.hasGamma, "zeroGamma: there is no gamma with norm \(norm.rawValue)")
        }
        _ = try Initializer(parsing: initializer)
        _ = try Schedule(parsing: schedule, totalSteps: 1)
    }
}
