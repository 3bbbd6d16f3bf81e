import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel benchmark layer`
struct BenchmarkLayer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer",
        abstract: "Measure batch norm with its activation, forward and backward.")

    enum Activation: String, ExpressibleByArgument, CaseIterable { case none, relu }

    @Option(help: "The input's shape.", transform: { try parseIntegers($0) })
    var shape = [64, 56, 56, 64]

    @Option(parsing: .unconditional, help: "The channel axis; -1 is the last.")
    var axis = -1

    @Option(help: "none or relu.")
    var activation = Activation.relu

    @Option(help: "Runs to measure; a tenth as many, at least three, go before.")
    var steps = 30

    @Option(help: "Worker threads.")
    var threads: Int?

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        let shape = Shape(self.shape)
        let elements = shape.reduce((1, false)) { product, extent in
            let (value, overflows) = product.0.multipliedReportingOverflow(by: extent)
            return (value, product.1 || overflows || extent <= 0)
        }
        guard shape.rank >= 2, !elements.1, elements.0 <= 1 << 30,
            (-shape.rank + 1..<shape.rank).contains(axis), axis != 0, steps >= 1
        else {
            throw ValidationError(
                "expected a shape of rank 2 or more with at most 2^30 elements, a channel axis that is "
                    + "not the first, and steps; found \(shape), axis \(axis), \(steps) steps")
        }
        let norm = BatchNorm(shape[shape.normalized(axis: axis)], axis: axis)
        let step = Step(workers: try makeWorkers(threads)) { inputs in
            let y = norm(inputs[0], Context(.training))
            let output = activation == .relu ? y.relu() : y
            let targets = [inputs[0]] + norm.parameters.map(\.tensor)
            return [output] + pullback(of: [output], seeds: [inputs[1]], to: targets)
        }
        func noise(_ seed: UInt64) -> NDArray {
            var generator = PhiloxGenerator(seed: seed)
            var array = NDArray(zeros: shape)
            array.withMutableElements(Float.self) { buffer in
                for index in buffer.indices {
                    buffer[index] =
                        Philox.unit(UInt32(truncatingIfNeeded: generator.next())) * 2 - 1
                }
            }
            return array
        }
        let inputs = [noise(1), noise(2)]
        for _ in 0..<max(3, steps / 10) { _ = step.run(inputs) }
        var timing = Timing()
        for _ in 0..<steps { timing.seconds.append(seconds { _ = step.run(inputs) }) }
        let console = Console(isJSON: json)
        console.say("median \(decimal(timing.median * 1000, 3)) ms")
        console.event(
            JSONObject([
                ("medianMilliseconds", .number(timing.median * 1000)),
                ("minimumMilliseconds", .number((timing.seconds.min() ?? .nan) * 1000)),
                ("peakMemoryBytes", .integer(ProcessMemory.peakBytes)),
            ]))
    }
}
