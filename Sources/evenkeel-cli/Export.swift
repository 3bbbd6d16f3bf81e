import ArgumentParser
import EvenKeel

/// `evenkeel export`
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a run's model as a state_dict that PyTorch loads.",
        discussion: """
            evenkeel export runs/mine --output state.safetensors

            In Python: model.load_state_dict(safetensors.torch.load_file("state.safetensors")). The \
            names are those of the run's model.safetensors, which torchvision's residual networks and \
            MobileNetV2, and an nn.Sequential of the layers in their order, have too. The file differs \
            from model.safetensors where a dense layer takes a flattened image: its columns are in the \
            order of PyTorch's images, channels first. Pixels are to be multiplied by 1/255, and \
            normalized as config.yaml says.

            `evenkeel import` is the way back, to the bit.
            """)

    @OptionGroup var argument: RunArgument

    @Option(help: "The safetensors file to write.")
    var output: String

    @Option(
        help: "Whether channels come first (PyTorch) or last where a dense layer takes an image.")
    var layout = StateImport.Layout.channelsFirst

    func run() throws {
        let trained = try argument.load()
        try layout.check(trained.configuration, trained.parts.test.featureShape)
        try StateExport(layout: layout).write(
            trained.model, to: output,
            input: TensorSpec(Shape([1] + trained.test.featureShape), .float32))
        print("\(trained.model.namedVariables.count) tensors, written to \(output)")
    }
}
