import ArgumentParser
import EvenKeel

/// `evenkeel recalibrate`
struct Recalibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Recompute a run's running statistics exactly over training data.",
        discussion: """
            Every batch norm gets the mean and variance of its inputs over the whole data set, in the place \
            of running averages; how the data is split into batches does not matter. The run's \
            model.safetensors is replaced, its checkpoint stays.
            """)

    @OptionGroup var argument: RunArgument

    @Option(help: "Worker threads; results do not depend on it.")
    var threads: Int?

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        let folder = argument.folder
        let trained = try argument.load()
        let workers = try makeWorkers(threads)
        let trainer = Trainer(
            trained.model, loss: .crossEntropy, optimizer: SGD(), metrics: [.accuracy],
            workers: workers)
        let before = try trainer.evaluate(trained.test)
        let norms = try trained.model.recalibrate(on: trained.train, workers: workers)
        let after = try trainer.evaluate(trained.test)
        guard !norms.isEmpty else {
            throw FileError.malformed(
                argument.path, "the model has no batch norm whose statistics could be recomputed")
        }
        try trained.model.write(to: folder.model)
        let console = Console(isJSON: json)
        console.say(
            "recomputed the statistics of \(norms.count) batch norms over \(trained.train.count) samples"
        )
        for (name, result) in [("before", before), ("after", after)] {
            console.say(
                "\(name)  loss \(decimal(result.loss, 4)), accuracy "
                    + "\(decimal((result.metrics["accuracy"] ?? .nan) * 100, 2)) %")
        }
        console.event(
            JSONObject([
                ("norms", .integer(norms.count)), ("samples", .integer(trained.train.count)),
                ("lossBefore", .number(before.loss)), ("loss", .number(after.loss)),
                ("accuracyBefore", .number(before.metrics["accuracy"] ?? .nan)),
                ("accuracy", .number(after.metrics["accuracy"] ?? .nan)),
            ]))
    }
}
