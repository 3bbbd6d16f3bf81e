import ArgumentParser
import EvenKeel

/// `evenkeel report`
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the report of a training run: one HTML file, JSON and CSV.",
        discussion: """
            Loss, accuracy, learning rate, what the layers give, running statistics against the batches', \
            gradients, throughput and memory, and the confusion matrix over the test data.
            """)

    @OptionGroup var argument: RunArgument

    @Option(help: "Worker threads; results do not depend on it.")
    var threads: Int?

    func run() throws {
        let folder = argument.folder
        _ = try folder.readConfiguration()
        var outputs: NDArray?
        var test: Dataset?
        do {
            let trained = try argument.load()
            let trainer = Trainer(
                trained.model, loss: .crossEntropy, optimizer: SGD(),
                workers: try makeWorkers(threads))
            outputs = try trainer.predict(trained.test)
            test = trained.parts.test
        } catch {
            // A run on its way has no model yet, and data may have moved; the rest can be told anyway.
            Console.writeError("warning: no confusion matrix: \(error)")
        }
        try RunReport(folder, outputs: outputs, test: test).write()
        print("report: \(RunReport.path(folder))")
    }
}
