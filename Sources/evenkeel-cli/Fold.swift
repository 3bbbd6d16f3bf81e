import ArgumentParser
import EvenKeel

/// `evenkeel fold`
struct Fold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fold a run's batch norms into its dense layers, for inference.",
        discussion: """
            Writes a run without the batch norms that stand behind, or in front of, a dense layer, and
            prints a certificate: the largest difference of an output on test samples, and what rounding
            can explain. Refuses where folding would be wrong: no running statistics, statistics that were
            never updated, a running variance near 0, or a difference beyond rounding.
            """)

    @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
    var path: String

    @Option(help: "The folder of the new run; there must be none yet.")
    var output: String

    @Option(help: "Other data than the run's: fashion-mnist, or a folder of IDX files.")
    var data: String?

    @Flag(help: "One JSON object on standard output.")
    var json = false

    /// How many test samples the certificate is made with.
    private static let sampleCount = 1000

    func run() throws {
        let target = RunFolder(output)
        guard !target.exists else {
            throw FileError(path: output, kind: .system, reason: "there is a run here already")
        }
        let trained = try TrainedModel(RunFolder(path), data: data)
        guard trained.test.count > 0 else {
            throw FileError.malformed(path, "there are no test samples to verify folding with")
        }
        let count = min(Self.sampleCount, trained.test.count)
        let samples = trained.test.features.rows(0..<count).converted(to: .float32)
        let inputs =
            (Tensor(samples) * Double(trained.test.scale) + Double(trained.test.shift)).evaluate()
        guard let original = trained.model as? Sequential else {
            throw FileError.unsupported(
                path, "only stacks of layers can be folded; the run has a network by name")
        }
        let (model, certificate) = try original.folded(verifying: inputs)
        var configuration = trained.configuration
        configuration.model = Self.description(
            of: trained.configuration.description(classes: trained.train.classCount ?? 1), model)
        var layers = model.layers.filter { !($0 is Identity) }
        if trained.configuration.model == nil {
            // A perceptron's samples are rows already; a described model takes them as they are.
            layers.insert(Flatten(), at: 0)
            configuration.model?.layers.insert(.init(.flatten), at: 0)
        }
        let result = Sequential(layers)
        try target.create(configuration)
        try result.write(to: target.model)
        let console = Console(isJSON: json)
        console.say(
            """
            folded \(certificate.folded.count) batch norms (layers \(certificate.folded.joined(separator: ", ")))
            largest difference on \(count) test samples  \(certificate.largestDifference)
            what rounding can explain                \(certificate.roundingBound)
            """)
        console.event(
            JSONObject([
                ("folded", .list(certificate.folded.map { .text($0) })),
                ("samples", .integer(count)),
                ("largestDifference", .number(certificate.largestDifference)),
                ("roundingBound", .number(certificate.roundingBound)),
            ]))
    }

    /// The description without the layers that are gone, and with a bias where a norm was folded in.
    private static func description(of old: ModelDescription, _ model: Sequential)
        -> ModelDescription
    {
        var layers = old.layers
        for (index, module) in model.layers.enumerated() {
            if let dense = module as? Dense {
                layers[index].options["bias"] = .flag(dense.bias != nil)
            }
        }
        return ModelDescription(
            zip(layers, model.layers).filter { !($0.1 is Identity) }.map(\.0))
    }
}
