import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluate a run's model on its test data.")

    @OptionGroup var argument: RunArgument

    @Option(help: "Worker threads; results do not depend on it.")
    var threads: Int?

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        let trained = try argument.load(concludes: true)
        let metrics: [Metric] = [.accuracy, .topK(5), .precision, .recall, .f1]
        let trainer = Trainer(
            trained.model, loss: .crossEntropy, optimizer: SGD(), metrics: metrics,
            workers: try makeWorkers(threads))
        let result = try trainer.evaluate(trained.test)
        SkippedImages.conclude(trained.parts)
        let console = Console(isJSON: json)
        console.say("\(result.sampleCount) samples, loss \(decimal(result.loss, 4))")
        for metric in metrics {
            console.say(
                "\(metric.name)  \(decimal((result.metrics[metric.name] ?? .nan) * 100, 2)) %")
        }
        console.event(
            JSONObject(
                [
                    ("samples", .integer(result.sampleCount)),
                    ("skippedImages", .integer(trained.parts.unreadable.count)),
                    ("loss", .number(result.loss)),
                ]
                    + metrics.map { ($0.name, .number(result.metrics[$0.name] ?? .nan)) }))
    }
}
