import ArgumentParser
import EvenKeel

/// `evenkeel layer`
struct LayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer",
        abstract:
            "Apply a normalization to arrays from a file: to compare it with another library's.",
        discussion: """
            The input file holds `x` and, where the layer has them, `weight` (gamma), `bias` (beta), \
            `running_mean`, `running_var`, `num_batches_tracked`, `mask`, `v` and `tau`. With `dy` the \
            gradients are computed. For weight-norm, spectral-norm and weight-standardization `x` is the \
            weight, output unit first; weight-norm's `weight` is the magnitude.

            The output file holds `y`; with `dy` also `dx`, `dweight`, `dbias`; in training the new \
            running statistics, for batch norms `batch_mean` and `batch_var` (biased), and further state \
            under names that begin with `state_`, which the next call accepts as input. Precision follows \
            x; statistics are float32 or better.
            """)

    enum Mode: String, ExpressibleByArgument, CaseIterable { case training, inference }
    enum BackendChoice: String, ExpressibleByArgument, CaseIterable { case fast, reference }
    enum VarianceChoice: String, ExpressibleByArgument, CaseIterable { case unbiased, biased }

    @Argument(help: "Which layer.")
    var kind: LayerCommandKind

    @Option(help: "A safetensors file with x and more.")
    var input: String

    @Option(help: "The safetensors file to write.")
    var output: String

    @Option(help: "training or inference.")
    var mode = Mode.training

    @Option(parsing: .unconditional, help: "The channel axis; for unit-norm the norm's axis.")
    var axis = -1

    @Option(
        parsing: .unconditional,
        help: "The axes of layer-norm and rms-norm, such as -2,-1. (default: -1)",
        transform: { try parseIntegers($0) })
    var axes: [Int] = [-1]

    @Option(parsing: .unconditional, help: "What is added to variances.")
    var epsilon = 1e-5

    @Option(
        parsing: .unconditional,
        help: "unit-norm's norm: 2 for the Euclidean one, 1 for the sum of absolute values.")
    var p = 2

    @Option(parsing: .unconditional, help: "Groups of group-norm and evonorm-s0.")
    var groups = 32

    @Option(
        parsing: .unconditional,
        help: "Samples in a ghost batch; the whole batch if it is not given.")
    var ghostSize: Int?

    @Option(
        help: """
            How running statistics follow: exponential=W (the weight of the new batch), cumulative, \
            window=N or none.
            """)
    var average = "exponential=0.1"

    @Option(help: "What the running variance stores: unbiased or biased.")
    var variance = VarianceChoice.unbiased

    @Option(parsing: .unconditional, help: "batch-renorm's limit of r, at least 1.")
    var rmax = 3.0

    @Option(parsing: .unconditional, help: "batch-renorm's limit of d, at least 0.")
    var dmax = 5.0

    @Option(parsing: .unconditional, help: "local-response-norm: channels in a window.")
    var size = 5

    @Option(parsing: .unconditional, help: "local-response-norm: the factor of the sum.")
    var alpha = 1e-4

    @Option(parsing: .unconditional, help: "local-response-norm: the exponent.")
    var beta = 0.75

    @Option(parsing: .unconditional, help: "local-response-norm: what is added to the sum.")
    var k = 1.0

    @Option(parsing: .unconditional, help: "Worker threads; results do not depend on it.")
    var threads: Int?

    @Option(help: "fast, or reference: the plain implementation in float64.")
    var backend = BackendChoice.fast

    func run() throws {
        let options = try LayerOptions(self)
        let tensors = try LayerTensors(input)
        let results = try LayerRun(options, tensors).results()
        try Safetensors.write(results, to: output)
    }
}

/// The layers that `evenkeel layer` knows.
enum LayerCommandKind: String, ExpressibleByArgument, CaseIterable {
    case batchNorm = "batch-norm"
    case layerNorm = "layer-norm"
    case groupNorm = "group-norm"
    case instanceNorm = "instance-norm"
    case rmsNorm = "rms-norm"
    case localResponseNorm = "local-response-norm"
    case batchRenorm = "batch-renorm"
    case ghostBatchNorm = "ghost-batch-norm"
    case filterResponseNorm = "filter-response-norm"
    case evoNormB0 = "evonorm-b0"
    case evoNormS0 = "evonorm-s0"
    case unitNorm = "unit-norm"
    case weightNorm = "weight-norm"
    case spectralNorm = "spectral-norm"
    case weightStandardization = "weight-standardization"

    /// Whether samples meet in statistics of the batch.
    var usesBatchStatistics: Bool {
        switch self {
        case .batchNorm, .batchRenorm, .ghostBatchNorm, .evoNormB0: true
        default: false
        }
    }

    /// Whether the input is a weight and not a batch.
    var isReparametrization: Bool {
        switch self {
        case .weightNorm, .spectralNorm, .weightStandardization: true
        default: false
        }
    }

    /// Whether the layer has a channel axis, which is not the samples'.
    var hasChannelAxis: Bool {
        switch self {
        case .layerNorm, .rmsNorm, .unitNorm, .weightNorm, .spectralNorm, .weightStandardization:
            false
        default: true
        }
    }
}

/// What is wrong with the options or the tensors, as a sentence.
struct LayerInputError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
