import ArgumentParser
import EvenKeel

/// `evenkeel import`
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a run of a model that PyTorch or another program trained.",
        discussion: """
            evenkeel import state.safetensors --model resnet20 --data cifar-10 --output runs/theirs

            The file holds a state_dict: in Python, safetensors.torch.save_file(model.state_dict(), \
            "state.safetensors"). Tensors are found by name, so the model's layers must be named as here: \
            torchvision's names for residual networks and MobileNetV2, positions for files of layers and \
            cnn. Other names are brought in line with --rename; a first "module." goes by itself. \
            The other way goes `evenkeel export`.

            The run is evaluated, folded and used for predictions as any other. Pixels are multiplied \
            by 1/255; for a model that was trained on normalized ones, give mean and deviation in \
            a file for --config:

              normalize: {mean: [0.49, 0.48, 0.45], deviation: [0.25, 0.24, 0.26]}
            """)

    @Argument(help: ArgumentHelp("A safetensors file.", valueName: "state"))
    var state: String

    @OptionGroup var options: TrainingOptions

    @Option(help: "The folder of the new run; there must be none yet.")
    var output: String

    @Option(
        name: .customLong("rename"),
        help: ArgumentHelp(
            "Another name for parts of names, such as shortcut=downsample; may be repeated.",
            valueName: "old=new"),
        transform: { text in
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].isEmpty else {
                throw ValidationError("expected OLD=NEW, found '\(text)'")
            }
            return StateImport.Renaming(from: String(pair[0]), to: String(pair[1]))
        })
    var renamings: [StateImport.Renaming] = []

    @Option(
        help: "Whether channels came first (PyTorch) or last where a dense layer takes an image.")
    var layout = StateImport.Layout.channelsFirst

    func run() throws {
        let target = RunFolder(output)
        guard !target.exists else {
            throw FileError(path: output, kind: .system, reason: "there is a run here already")
        }
        var configuration = try options.configuration()
        let parts = try TrainingRun.load(
            configuration.data, imageSize: configuration.imageSize)
        try layout.check(configuration, parts.train.featureShape)
        configuration.normalization = try configuration.normalization.resolved(parts.train)
        let test = try configuration.prepare(parts.test, source: options.config)
        let model = try configuration.makeModel(
            try configuration.prepare(parts.train, source: options.config))
        try checkOutputs(model, test)
        try StateImport(layout: layout, renamings: renamings).read(
            state, into: model,
            input: TensorSpec(Shape([1] + test.featureShape), .float32))
        try target.create(configuration)
        try model.write(to: target.model)
        print(
            "\(model.parameterCount) parameters; evaluate them with `evenkeel evaluate \(output)`")
    }
}

extension StateImport.Layout: ExpressibleByArgument {
    /// Refuses what the order of axes means nothing to: a model that never sees the images as such.
    func check(_ configuration: RunConfiguration, _ image: Shape) throws {
        let isPerceptron = configuration.model == nil && configuration.architecture == nil
        guard !isPerceptron || self == .channelsLast || image.last == 1 else {
            throw ValidationError(
                "an mlp takes rows of numbers in the data's order, channels last; for other values use "
                    + "a file of layers that begins with flatten, or --layout channels-last")
        }
    }
}
