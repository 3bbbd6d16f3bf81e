import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel benchmark`
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure training, inference or a single normalization on made-up input.",
        subcommands: [BenchmarkTrain.self, BenchmarkInference.self, BenchmarkLayer.self])
}

/// The options that benchmarks of models share.
struct ModelBenchmarkOptions: ParsableArguments {
    @Option(help: "mlp (784-128-10), a network by name (see train --help), or a YAML file.")
    var model = "mlp"

    @Option(help: "Normalization; see `evenkeel train --help`.")
    var norm = NormKind.batch

    @Option(
        help: "Height, width and channels of the made-up images.",
        transform: { try parseImage($0) })
    var image: Shape = [28, 28, 1]

    @Option(help: "Samples per step.")
    var batchSize = 128

    @Option(help: "Steps to measure; a tenth as many, at least three, go before.")
    var steps = 500

    @Option(help: "Worker threads.")
    var threads: Int?

    @Flag(help: "One JSON object on standard output.")
    var json = false

    /// Model and made-up images [samples, height, width, channels] in ten classes.
    func make() throws -> (RunConfiguration, Dataset) {
        guard batchSize >= 1, batchSize <= 1 << 20 else {
            throw ValidationError("--batch-size: expected 1 to \(1 << 20), found \(batchSize)")
        }
        guard steps >= 1 else {
            throw ValidationError("--steps: expected 1 or more, found \(steps)")
        }
        var configuration = RunConfiguration()
        configuration.norm = norm
        configuration.batchSize = batchSize
        configuration.length = .steps(steps + warmUp)
        configuration.dropsLastBatch = true
        try configuration.choose(model: model)
        let count = max(batchSize * 4, 2048)
        guard count * image.elementCount <= 1 << 30 else {
            throw ValidationError("--image: a data set of such images would not fit into memory")
        }
        var generator = PhiloxGenerator(seed: 1)
        let images = NDArray(
            (0..<(count * image.elementCount)).map { _ in
                UInt8(truncatingIfNeeded: generator.next())
            }, shape: Shape([count] + image))
        let data = try Dataset(
            features: images, labels: NDArray((0..<count).map { Int32($0 % 10) }), scale: 1 / 255)
        return (configuration, try configuration.prepare(data))
    }

    var warmUp: Int { max(3, steps / 10) }
}

/// `28x28x1`: height, width and channels.
func parseImage(_ text: String) throws -> Shape {
    let extents = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard extents.count == 3, extents.allSatisfy({ (1...4096).contains($0 ?? 0) }) else {
        throw ValidationError(
            "--image: expected height, width and channels up to 4096, as in 28x28x1, found '\(text)'"
        )
    }
    return Shape(extents.compactMap { $0 })
}

/// Durations of steps, and what is told of them.
struct Timing {
    var seconds: [Double] = []

    var median: Double {
        let sorted = seconds.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    var total: Double { seconds.reduce(0, +) }
}

/// Seconds that something takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    return try clock.measure { try body() } / .seconds(1)
}
