import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel benchmark train`
struct BenchmarkTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Measure training steps.")

    @OptionGroup var options: ModelBenchmarkOptions

    @Option(help: "What to compute with; see `evenkeel train --help`.")
    var precision = Precision.float32

    func run() throws {
        var (configuration, data) = try options.make()
        configuration.precision = precision
        let model = try configuration.makeModel(data)
        try checkOutputs(model, data)
        let run = TrainingRun(
            configuration: configuration, folder: RunFolder(""),
            workers: try makeWorkers(options.threads), console: Console(isJSON: options.json))
        let trainer = try run.makeTrainer(model, samples: data.count)
        let watcher = StepTimer(skipping: options.warmUp)
        do {
            try trainer.check(data, batchSize: configuration.batchSize, dropsLastBatch: true)
        } catch { throw ValidationError(error.description) }
        try trainer.fit(
            data, configuration.length, batchSize: configuration.batchSize, dropsLastBatch: true,
            callbacks: [watcher])
        let plan = try trainer.compiledStep(data, batchSize: configuration.batchSize).plan
        let timing = watcher.timing
        let rate = Double(timing.seconds.count * configuration.batchSize) / timing.total
        let console = Console(isJSON: options.json)
        console.say(
            "\(decimal(rate, 0)) samples/s, median step \(decimal(timing.median * 1000, 3)) ms")
        console.event(
            JSONObject([
                ("samplesPerSecond", .number(rate)),
                ("medianStepMilliseconds", .number(timing.median * 1000)),
                ("savedActivationBytes", .integer(plan?.savedActivationBytes ?? 0)),
                ("peakMemoryBytes", .integer(ProcessMemory.peakBytes)),
                ("steps", .integer(timing.seconds.count)),
            ]))
    }
}

/// Takes the time from step to step, everything between them included.
private final class StepTimer: TrainingCallback {
    private let skipped: Int
    private var last: ContinuousClock.Instant?
    private(set) var timing = Timing()

    init(skipping skipped: Int) {
        self.skipped = skipped
        super.init()
    }

    override func stepDidEnd(_ session: TrainingSession) {
        let now = ContinuousClock.now
        if let last, session.progress.step > skipped {
            timing.seconds.append((now - last) / .seconds(1))
        }
        last = now
    }
}
