import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel train`
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a network and keep the run in a folder.",
        discussion: """
            evenkeel train --data fashion-mnist --norm batch --epochs 3 --output runs/first
            evenkeel train --model layers.yaml --optimizer sgd --learning-rate 0.1
            evenkeel train --output runs/first --resume --epochs 10

            The run folder gets config.yaml, metrics.jsonl, progress.jsonl (for `evenkeel dashboard`), \
            statistics.jsonl (what was seen inside the layers), model.safetensors and a checkpoint. Ctrl-C \
            finishes the step and saves; --resume goes on, with the same results as if nothing had \
            happened, also after the program was killed.

            With --tensorboard the run folder also gets an event file, which `tensorboard --logdir runs` \
            shows while the run goes on: loss, accuracy, learning rate, speed, gradient norms, \
            distributions of parameters and of what the layers give, samples, the confusion matrix.

            A file of layers for --model:

              layers:
                - flatten
                - dense: {outputs: 128, bias: false, init: he}
                - batchNorm: {epsilon: 1e-3, variance: biased}
                - relu
                - dense: 10
            """)

    @OptionGroup var options: TrainingOptions

    @Option(help: "Worker threads; results do not depend on it.")
    var threads: Int?

    @Option(help: "The run folder. Default: a new one under runs/.")
    var output: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Look into the layers every so many steps, for statistics.jsonl; 0 never does.",
            discussion: "What the run computes does not depend on it."))
    var statisticsInterval = StatisticsRecorder.defaultInterval

    @Flag(help: "Write an event file for TensorBoard into the run folder.")
    var tensorboard = false

    @Flag(help: "Go on with the run in --output, from its last checkpoint.")
    var resume = false

    @Flag(help: "Replace an earlier run in --output.")
    var overwrite = false

    @Flag(help: "One JSON object a line on standard output; everything else to standard error.")
    var json = false

    func run() throws {
        let folder = RunFolder(output ?? Self.newFolder())
        let configuration: RunConfiguration
        if resume {
            guard output != nil else { throw ValidationError("--resume needs --output") }
            let known = try folder.readConfiguration()
            var wanted = known
            try options.apply(to: &wanted)
            var comparable = wanted
            comparable.length = known.length
            guard comparable == known, options.config == nil else {
                throw ValidationError(
                    "--resume goes on with the options in \(folder.configuration); only --epochs, "
                        + "--steps, --threads and --json may be others")
            }
            configuration = wanted
        } else {
            configuration = try options.configuration()
            guard !folder.exists || overwrite else {
                throw ValidationError(
                    "\(folder.path) holds a run; go on with --resume, replace it with --overwrite, "
                        + "or choose another --output")
            }
        }
        guard statisticsInterval >= 0 else {
            throw ValidationError(
                "--statistics-interval: expected 0 or more, found \(statisticsInterval)")
        }
        let console = Console(isJSON: json)
        Interruption.install()
        let run = TrainingRun(
            configuration: configuration, folder: folder, workers: try makeWorkers(threads),
            console: console, source: resume ? folder.configuration : options.config,
            statisticsInterval: statisticsInterval,
            writesTensorBoard: tensorboard)
        guard let result = try run.execute(resumes: resume) else { throw ExitCode(130) }
        let accuracy = result.test.metrics["accuracy"] ?? .nan
        console.say(
            "test accuracy \(decimal(accuracy * 100, 2)) %, train accuracy "
                + "\(decimal((result.train.metrics["accuracy"] ?? .nan) * 100, 2)) %, "
                + "\(decimal(result.samplesPerSecond, 0)) samples/s; saved in \(folder.path)")
        console.event(
            JSONObject(
                event: "finish",
                [
                    ("testAccuracy", .number(accuracy)),
                    ("trainAccuracy", .number(result.train.metrics["accuracy"] ?? .nan)),
                    ("testLoss", .number(result.test.loss)), ("steps", .integer(result.steps)),
                    ("skippedImages", .integer(result.skippedImages)),
                    ("samplesPerSecond", .number(result.samplesPerSecond)),
                    ("peakMemoryBytes", .integer(ProcessMemory.peakBytes)),
                ]))
    }

    private static func newFolder() -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "yyyyMMdd-HHmmss"
        return "runs/train-\(format.string(from: Date()))"
    }
}

/// Workers for `--threads`.
func makeWorkers(_ threads: Int?) throws -> Workers {
    guard let threads else { return .shared }
    guard (1...1024).contains(threads) else {
        throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
    }
    return Workers(count: threads)
}
