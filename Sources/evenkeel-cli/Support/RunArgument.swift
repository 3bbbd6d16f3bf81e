import ArgumentParser
import EvenKeel

/// The run that a subcommand is about, and the data it is to be seen with.
struct RunArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
    var path: String

    @Option(help: "Other data than the run's: fashion-mnist, or a folder as train takes it.")
    var data: String?

    var folder: RunFolder { RunFolder(path) }

    /// Model and data.
    ///
    /// - Parameter concludes: see `TrainingRun.load`.
    func load(concludes: Bool = false) throws -> TrainedModel {
        try TrainedModel(folder, data: data, concludes: concludes)
    }
}
