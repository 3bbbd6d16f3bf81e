import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel benchmark inference`
struct BenchmarkInference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference", abstract: "Measure inference.")

    @OptionGroup var options: ModelBenchmarkOptions

    func run() throws {
        let (configuration, data) = try options.make()
        let model = try configuration.makeModel(data)
        try checkOutputs(model, data)
        let step = Step(workers: try makeWorkers(options.threads)) { inputs in
            [model(inputs[0].cast(to: .float32) * Double(data.scale))]
        }
        let batch = data.features.rows(0..<configuration.batchSize)
        for _ in 0..<options.warmUp { _ = step(batch) }
        var timing = Timing()
        for _ in 0..<options.steps { timing.seconds.append(seconds { _ = step(batch) }) }
        let rate = Double(options.steps * configuration.batchSize) / timing.total
        let console = Console(isJSON: options.json)
        console.say(
            "\(decimal(rate, 0)) samples/s, median step \(decimal(timing.median * 1000, 3)) ms")
        console.event(
            JSONObject([
                ("samplesPerSecond", .number(rate)),
                ("medianStepMilliseconds", .number(timing.median * 1000)),
                ("savedActivationBytes", .integer(0)),
                ("peakMemoryBytes", .integer(peakMemoryBytes())),
            ]))
    }
}
