import ArgumentParser
import EvenKeel
import Foundation

/// The options of a training. Each one that is given overrides the configuration file and the defaults.
struct TrainingOptions: ParsableArguments {
    @Option(
        help: "fashion-mnist (default), or a folder of IDX files, CIFAR binaries or class folders.")
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Bring all images of class folders to a size, such as 64 or 48x64 (height and width).",
            discussion: "The largest centred part of that proportion, averaged over areas."),
        transform: { text in
            do { return try ImageFolder.Size(parsing: text) } catch {
                throw ValidationError("\(error)")
            }
        })
    var imageSize: ImageFolder.Size?

    @Option(
        help: ArgumentHelp(
            "mlp (the default; see --hidden, --norm, ...), a network by name, or a YAML file.",
            discussion: "Networks: "
                + Architecture.allCases.map(\.rawValue).joined(separator: ", ")
                + ". A YAML file lists layers."))
    var model: String?

    @Option(
        help: """
            Normalization of the mlp or the named network: batch, batch-renorm, ghost=N, layer, group=N, instance, rms, \
            filter-response, evonorm-b0, evonorm-s0, weight, spectral, standardized or none \
            (default: batch).
            """)
    var norm: NormKind?

    @Flag(
        help: ArgumentHelp(
            "Start the gamma at the end of each residual branch at zero.",
            discussion: "Blocks begin as their shortcuts. For "
                + Architecture.allCases.filter(\.endsBranchesWithNorm).map(\.rawValue)
                .joined(separator: ", ")
                + "; in a YAML file of layers zeroGamma is an option of residual."))
    var zeroGamma = false

    @Option(
        help: "Widths of the mlp's hidden layers, as in 256,128 (default: 128).",
        transform: { try parseIntegers($0) })
    var hidden: [Int]?

    @Option(help: "Activation of the mlp (default: relu).")
    var activation: LayerKind?

    @Option(
        name: .customLong("init"),
        help:
            "Initial weights of the mlp: he (default), xavier, orthogonal, normal=0.05, ...")
    var initializer: String?

    @Option(
        parsing: .unconditional,
        help: "The mlp's dropout rate behind each activation, 0 to below 1.")
    var dropout: Double?

    @Option(
        parsing: .unconditional, help: "How often to go through the training data (default: 3).")
    var epochs: Int?

    @Option(parsing: .unconditional, help: "How many steps to take, instead of --epochs.")
    var steps: Int?

    @Option(parsing: .unconditional, help: "Samples in a batch (default: 128).")
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many batches make a step, exactly as one large batch would (default: 1).",
            discussion: """
                Batch statistics are those of all samples of the step, and so is the memory it takes.
                """))
    var accumulate: Int?

    @Flag(help: "Leave out samples that do not fill a step at the end of an epoch.")
    var dropLastBatch = false

    @Option(help: "How weights are updated (default: adam).")
    var optimizer: RunConfiguration.OptimizerKind?

    @Option(
        parsing: .unconditional,
        help: "The learning rate; the schedule multiplies it (default: 0.001).")
    var learningRate: Double?

    @Option(parsing: .unconditional, help: "Momentum of sgd (default: 0.9).")
    var momentum: Double?

    @Option(
        name: .customLong("l1"), parsing: .unconditional,
        help: "L1 regularization of weights (not of biases, gamma, beta).")
    var l1: Double?

    @Option(
        name: .customLong("l2"), parsing: .unconditional,
        help: "Weight decay (not of biases, gamma, beta).")
    var l2: Double?

    @Option(
        help:
            "How the learning rate goes on: cosine (default), constant, one-cycle, step=STEPS.")
    var schedule: String?

    @Option(
        help: """
            float32 (default), or bfloat16: activations and copies of the weights in 16 bits, all else in \
            float32. On a processor without bfloat16 instructions it is float32.
            """)
    var precision: Precision?

    @Option(
        parsing: .unconditional,
        help:
            "Steps in which the learning rate rises linearly from a tenth, before the schedule begins."
    )
    var warmUp: Int?

    @Option(
        parsing: .unconditional,
        help: "The part of each answer that is spread over all classes in training, such as 0.1.")
    var labelSmoothing: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Keep a moving average of the weights with this decay, such as 0.999.",
            discussion: "The average, with statistics of its own, is what is evaluated and saved."))
    var ema: Double?

    @Option(
        help: ArgumentHelp(
            "Random changes of training images: crop=4,flip,cutout=8,mixup=0.2, or some of these.",
            discussion: "For networks by name and files of layers, on images of bytes."),
        transform: { text in
            do { return try Augmentation(parsing: text) } catch {
                throw ValidationError("\(error)")
            }
        })
    var augment: Augmentation?

    @Flag(help: "Bring each channel of the data to mean 0 and standard deviation 1.")
    var normalize = false

    @Option(
        parsing: .unconditional,
        help: "Determines initial weights, order of samples, dropout (default: 0).")
    var seed: UInt64?

    @Option(
        parsing: .unconditional,
        help: "So many batches in a row may be skipped for not being finite (default: 10).")
    var maxBadBatches: Int?

    @Option(help: "A YAML file with any of these options, in camelCase.")
    var config: String?

    /// Defaults, then the file, then the options.
    func configuration() throws -> RunConfiguration {
        var result = RunConfiguration()
        if let config {
            result = try RunConfiguration(yaml: try readText(config), source: config)
        }
        try apply(to: &result)
        return result
    }

    /// Overrides what was given as an option. Throws a usage error for values out of range.
    func apply(to result: inout RunConfiguration) throws {
        func set<Value>(_ value: Value?, _ path: WritableKeyPath<RunConfiguration, Value>) {
            if let value { result[keyPath: path] = value }
        }
        func set<Value>(_ value: Value?, _ path: WritableKeyPath<RunConfiguration, Value?>) {
            if let value { result[keyPath: path] = value }
        }
        if epochs != nil && steps != nil {
            throw ValidationError("expected either --epochs or --steps, found both")
        }
        set(data, \.data)
        set(imageSize, \.imageSize)
        if let model {
            try result.choose(model: model)
        }
        if result.model != nil && norm != nil {
            throw ValidationError("--norm is not for a file of layers: it says it itself")
        }
        if result.model != nil || result.architecture != nil {
            let given = [
                ("--hidden", hidden != nil),
                ("--activation", activation != nil), ("--init", initializer != nil),
                ("--dropout", dropout != nil),
            ]
            if let (name, _) = given.first(where: { $0.1 }) {
                throw ValidationError("\(name) is for --model mlp")
            }
        }
        set(norm, \.norm)
        if zeroGamma { result.zeroGamma = true }
        set(hidden, \.hidden)
        set(activation, \.activation)
        set(initializer, \.initializer)
        set(dropout, \.dropout)
        set(epochs.map { .epochs($0) }, \.length)
        set(steps.map { .steps($0) }, \.length)
        set(batchSize, \.batchSize)
        set(accumulate, \.accumulate)
        if dropLastBatch { result.dropsLastBatch = true }
        set(optimizer, \.optimizer)
        set(learningRate, \.learningRate)
        set(momentum, \.momentum)
        set(l1, \.l1)
        set(l2, \.l2)
        set(schedule, \.schedule)
        set(warmUp, \.warmUp)
        set(labelSmoothing, \.labelSmoothing)
        set(ema, \.averageDecay)
        set(augment, \.augmentation)
        if normalize, result.normalization == .none { result.normalization = .byTrainingData }
        set(precision, \.precision)
        set(seed, \.seed)
        set(maxBadBatches, \.maximumBadBatches)
        do { try result.validate() } catch { throw ValidationError("\(error)") }
    }
}

extension RunConfiguration {
    /// Takes the model that an option names: mlp, an architecture, or a file of layers.
    mutating func choose(model name: String) throws {
        architecture = Architecture(rawValue: name)
        model =
            name == "mlp" || architecture != nil
            ? nil : try ModelDescription(yaml: try readText(name), source: name)
    }
}

extension NormKind: ExpressibleByArgument {}
extension LayerKind: ExpressibleByArgument {
    /// Only activations can be asked for by an option.
    public static var allValueStrings: [String] {
        allCases.filter(\.isActivation).map(\.rawValue)
    }
}
extension RunConfiguration.OptimizerKind: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

func parseIntegers(_ text: String) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        guard let value = Int(part.trimmingCharacters(in: .whitespaces)) else {
            throw ValidationError(
                "expected whole numbers with commas between them, found '\(text)'")
        }
        return value
    }
}

/// A small text file.
func readText(_ path: String) throws -> String {
    let bytes = try InputFile(path).bytes(limit: 1 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw FileError.malformed(path, "expected UTF-8 text")
    }
    return text
}
