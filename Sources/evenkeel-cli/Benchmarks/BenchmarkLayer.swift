import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel benchmark layer`
struct BenchmarkLayer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer",
        abstract: "Measure a normalization, with its activation, forward and backward.")

    enum Activation: String, ExpressibleByArgument, CaseIterable { case none, relu }

    enum Precision: String, ExpressibleByArgument, CaseIterable { case float32, bfloat16 }

    @Option(help: "Which layer; for weight-norm and the like the input is the weight.")
    var kind = LayerCommandKind.batchNorm

    @Option(help: "float32 or bfloat16.")
    var type = Precision.float32

    @Option(help: "The input's shape.", transform: { try parseIntegers($0) })
    var shape = [64, 56, 56, 64]

    @Option(parsing: .unconditional, help: "The channel axis; -1 is the last.")
    var axis = -1

    @Option(help: "none or relu.")
    var activation = Activation.relu

    @Option(help: "Runs to measure; a tenth as many, at least three, go before.")
    var steps = 30

    @Option(help: "Measure for so many seconds, after half as many, in the place of so many runs.")
    var seconds: Double?

    @Option(help: "Worker threads.")
    var threads: Int?

    @Flag(help: "Show the phases of a run in the place of measuring.")
    var plan = false

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        let shape = Shape(self.shape)
        let elements = checkedElementCount(shape) ?? .max
        guard shape.rank >= 2, (1...1 << 30).contains(elements),
            (-shape.rank + 1..<shape.rank).contains(axis), axis != 0, steps >= 1,
            (seconds ?? 1) > 0, (seconds ?? 1) <= 3600
        else {
            throw ValidationError(
                "expected a shape of rank 2 or more with at most 2^30 elements, a channel axis that is "
                    + "not the first, and steps or at most 3600 seconds; found \(shape), axis "
                    + "\(axis), \(steps) steps, \(seconds.map { "\($0)" } ?? "no") seconds")
        }
        let type: ElementType = type == .float32 ? .float32 : .bfloat16
        let layer = BenchmarkedLayer(kind, shape, axis: shape.normalized(axis: axis))
        let step = Step(workers: try makeWorkers(threads)) { inputs in
            let y = layer.apply(inputs[0])
            let output = activation == .relu ? y.relu() : y
            let targets = [inputs[0]] + layer.parameters.map(\.tensor)
            return [output] + pullback(of: [output], seeds: [inputs[1]], to: targets)
        }
        if plan {
            let specs = [TensorSpec(shape, type), TensorSpec(shape, type)]
            print(step.compiled(specs).plan.map { "\($0)" } ?? "the reference backend has no plan")
            return
        }
        let inputs = [UInt64(1), 2].map { Self.noise(shape, seed: $0).converted(to: type) }
        var timing = Timing()
        if let seconds {
            _ = Self.run(step, inputs, for: seconds / 2)
            timing.seconds = Self.run(step, inputs, for: seconds)
        } else {
            for _ in 0..<max(3, steps / 10) { _ = step.run(inputs) }
            timing.seconds = (0..<steps).map { _ in Self.time(step, inputs) }
        }
        let console = Console(isJSON: json)
        console.say("median \(decimal(timing.median * 1000, 3)) ms")
        console.event(
            JSONObject([
                ("medianMilliseconds", .number(timing.median * 1000)),
                ("minimumMilliseconds", .number((timing.seconds.min() ?? .nan) * 1000)),
                ("peakMemoryBytes", .integer(ProcessMemory.peakBytes)),
            ]))
    }

    private static func time(_ step: Step, _ inputs: [NDArray]) -> Double {
        evenkeel_cli.seconds { _ = step.run(inputs) }
    }

    /// What each run took, until the time is over; three runs at least.
    private static func run(_ step: Step, _ inputs: [NDArray], for limit: Double) -> [Double] {
        var times: [Double] = []
        let elapsed = ContinuousClock.now
        while times.count < 3 || elapsed.duration(to: .now) < .seconds(limit) {
            times.append(time(step, inputs))
        }
        return times
    }

    private static func noise(_ shape: Shape, seed: UInt64) -> NDArray {
        var generator = PhiloxGenerator(seed: seed)
        var array = NDArray(zeros: shape)
        array.withMutableElements(Float.self) { buffer in
            for index in buffer.indices {
                buffer[index] = Philox.unit(UInt32(truncatingIfNeeded: generator.next())) * 2 - 1
            }
        }
        return array
    }
}

/// A layer with the options that benchmarks use.
private struct BenchmarkedLayer {
    let apply: (Tensor) -> Tensor
    let parameters: [Parameter]

    init(_ kind: LayerCommandKind, _ shape: Shape, axis: Int) {
        let channels = shape[axis]
        let units = shape[0]
        var module: Module?
        switch kind {
        case .batchNorm: module = BatchNorm(channels, axis: axis)
        case .layerNorm: module = LayerNorm([channels], axes: [axis])
        case .groupNorm:
            module = GroupNorm(groups: channels % 32 == 0 ? 32 : 1, channels, axis: axis)
        case .instanceNorm: module = InstanceNorm(channels, axis: axis, scale: true, center: true)
        case .rmsNorm: module = RMSNorm([channels], axes: [axis])
        case .localResponseNorm: module = LocalResponseNorm(size: 5, axis: axis)
        case .batchRenorm: module = BatchRenorm(channels, axis: axis, limits: .constant())
        case .ghostBatchNorm: module = GhostBatchNorm(ghostSize: 16, channels, axis: axis)
        case .filterResponseNorm:
            module = FilterResponseNorm(channels, axis: axis, thresholds: false)
        case .evoNormB0: module = EvoNormB0(channels, axis: axis)
        case .evoNormS0:
            module = EvoNormS0(groups: channels % 32 == 0 ? 32 : 1, channels, axis: axis)
        case .unitNorm: module = UnitNorm(axis: axis, epsilon: 1e-5)
        case .weightNorm, .spectralNorm, .weightStandardization: module = nil
        }
        if let module {
            apply = { module($0, Context(.training)) }
            parameters = module.parameters
            return
        }
        let magnitude = Parameter([units], role: .scale, initializer: .ones)
        let u = State("weight_u", SpectralNorm.start(units: units))
        parameters = kind == .weightNorm ? [magnitude] : []
        apply = { weight in
            switch kind {
            case .weightNorm:
                return WeightNorm.weight(direction: weight, magnitude: magnitude.tensor)
            case .spectralNorm:
                let (scaled, next) = SpectralNorm.weight(weight, u: u.tensor, iterations: 1)
                u.propose(next)
                return scaled
            default: return WeightStandardization.weight(weight, epsilon: 1e-5)
            }
        }
    }
}
