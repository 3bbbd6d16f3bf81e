import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel plan`
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show how a training step, or inference, is executed.",
        discussion: """
            Phases, the shards of each, what stays in cache, what is stored for the backward pass, \
            and bytes. Takes the options of `evenkeel train` that shape the step.
            """)

    @OptionGroup var options: TrainingOptions

    @Option(help: "Worker threads; they change who does the work, not what is done.")
    var threads: Int?

    @Flag(help: "Inference on a batch instead of a training step.")
    var inference = false

    @Flag(help: "Inference without the batch norms that can be folded away.")
    var folded = false

    func run() throws {
        var configuration = try options.configuration()
        configuration.isFolded = folded
        let data = try configuration.prepare(
            TrainingRun.load(configuration.data, imageSize: configuration.imageSize).train,
            source: options.config)
        let model = try configuration.makeModel(data)
        try checkOutputs(model, data)
        if inference || folded {
            try PhysicalMemory.require(
                Double(configuration.batchSize) * Double(data.featureShape.elementCount) * 4,
                for: "a batch of \(configuration.batchSize) samples")
            let shape = Shape([configuration.batchSize] + data.featureShape)
            let predictor = Predictor(model, workers: try makeWorkers(threads))
            print(try predictor.plan(TensorSpec(shape, .float32)).map { "\($0)" } ?? "")
            return
        }
        let run = TrainingRun(
            configuration: configuration, folder: RunFolder(""),
            workers: try makeWorkers(threads), console: Console(isJSON: false))
        let trainer = try run.makeTrainer(model, samples: data.count)
        do {
            try trainer.check(data, batchSize: configuration.batchSize, dropsLastBatch: true)
        } catch { throw ValidationError(error.description) }
        let step = try trainer.compiledStep(data, batchSize: configuration.batchSize)
        print(step.plan.map { "\($0)" } ?? "the reference backend has no plan")
    }
}
