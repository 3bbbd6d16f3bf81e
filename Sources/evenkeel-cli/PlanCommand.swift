import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel plan`
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show how a training step is executed.",
        discussion: """
            Phases, the shards of each, what stays in cache, what is stored for the backward pass, \
            and bytes. Takes the options of `evenkeel train` that shape the step.
            """)

    @OptionGroup var options: TrainingOptions

    @Option(help: "Worker threads; they change who does the work, not what is done.")
    var threads: Int?

    func run() throws {
        let configuration = try options.configuration()
        let data = try configuration.prepare(
            TrainingRun.load(configuration.data).train)
        let model = try configuration.makeModel(data)
        try checkOutputs(model, data)
        let run = TrainingRun(
            configuration: configuration, folder: RunFolder(""),
            workers: try makeWorkers(threads), console: Console(isJSON: false))
        let trainer = try run.makeTrainer(model, samples: data.count)
        do {
            try trainer.check(data, batchSize: configuration.batchSize, dropsLastBatch: true)
        } catch { throw ValidationError(error.description) }
        let step = trainer.compiledStep(data, batchSize: configuration.batchSize)
        print(step.plan.map { "\($0)" } ?? "the reference backend has no plan")
    }
}
