import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel benchmark inference`
struct BenchmarkInference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference", abstract: "Measure inference.")

    @OptionGroup var options: ModelBenchmarkOptions

    @Flag(help: "Without the batch norms that can be folded away; see `evenkeel fold`.")
    var folded = false

    func run() throws {
        var (configuration, data) = try options.make()
        configuration.isFolded = folded
        let model = try configuration.makeModel(data)
        try checkOutputs(model, data)
        let predictor = Predictor(model, workers: try makeWorkers(options.threads))
        // Numbers as a model takes them, as other libraries are given them.
        let bytes = Tensor(data.features.rows(0..<configuration.batchSize))
        let batch = (bytes.cast(to: .float32) * Double(data.scale)).evaluate()
        try predictor.plan(TensorSpec(batch.shape, batch.elementType))
        for _ in 0..<options.warmUp { _ = predictor(batch) }
        var timing = Timing()
        for _ in 0..<options.steps { timing.seconds.append(seconds { _ = predictor(batch) }) }
        let rate = Double(options.steps * configuration.batchSize) / timing.total
        let console = Console(isJSON: options.json)
        console.say(
            "\(decimal(rate, 0)) samples/s, median step \(decimal(timing.median * 1000, 3)) ms")
        console.event(
            JSONObject([
                ("samplesPerSecond", .number(rate)),
                ("medianMilliseconds", .number(timing.median * 1000)),
                ("savedActivationBytes", .integer(0)),
                ("peakMemoryBytes", .integer(ProcessMemory.peakBytes)),
            ]))
    }
}
