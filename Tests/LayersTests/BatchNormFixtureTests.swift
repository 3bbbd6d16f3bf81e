import Arrays
import Graph
import Layers
import Normalization
import Runtime
import TestSupport
import Testing

/// Batch norm over a few batches against PyTorch, Keras and Flax; see Tests/Fixtures/make_batch_norm.py.
@Suite("Batch norm: fixtures")
struct BatchNormFixtureTests {
    struct File: Decodable { var cases: [Case] }

    struct Case: Decodable, Sendable, CustomStringConvertible {
        struct Average: Decodable, Sendable {
            var kind: String
            var weight: Double?
            var window: Int?
            var debiased: Bool?
            var counted: Bool?
        }
        struct Batch: Decodable, Sendable {
            var x, output, mean, variance: FixtureTensor
            var mask: FixtureTensor?
        }
        var framework: String
        var axis: Int
        var epsilon: Double
        var variance: VarianceKind.RawValue
        var average: Average
        var gamma, beta, upstream: FixtureTensor
        var steps: [Batch]
        var gradients: [String: FixtureTensor]

        var description: String {
            "\(framework), \(steps[0].x.shape), axis \(axis), \(average.kind), \(variance)"
        }

        var runningAverage: RunningAverage {
            let isCounted = average.counted ?? false
            return switch average.kind {
            case "cumulative": .cumulative(weightedByCount: isCounted)
            case "sliding": .sliding(window: average.window!, weightedByCount: isCounted)
            default:
                .exponential(
                    weight: average.weight!, debiased: average.debiased ?? false,
                    weightedByCount: isCounted)
            }
        }

        func layer() -> BatchNorm {
            let norm = BatchNorm(
                gamma.values.count, axis: axis, epsilon: epsilon, average: runningAverage,
                variance: VarianceKind(rawValue: variance)!)
            norm.convert(to: .float64)
            norm.gamma!.value = gamma.array
            norm.beta!.value = beta.array
            return norm
        }
    }

    static let cases: [Case] = (try? Fixtures.load("batch_norm.json", as: File.self).cases) ?? []

    @Test("The file holds every framework, rank and kind of average")
    func isThere() {
        #expect(Self.cases.count == 44)
        #expect(Set(Self.cases.map(\.framework)) == ["torch", "keras", "flax"])
        #expect(Set(Self.cases.map(\.steps[0].x.shape.count)) == [2, 3, 4, 5])
        #expect(Self.cases.count { $0.steps[0].mask != nil } == 10)
        #expect(Self.cases.contains { $0.steps[0].mask != nil && $0.axis == 1 })
    }

    @Test(
        "Outputs, running statistics and gradients", arguments: cases,
        [Backend.fast, .reference])
    func agrees(sample: Case, backend: Backend) {
        func check(_ found: NDArray, _ expected: FixtureTensor, _ what: String) {
            let scale = 1 + (expected.values.map(abs).max() ?? 0)
            let worst =
                zip(found.elements(as: Double.self), expected.values)
                .map { abs($0 - $1) }.max() ?? 0
            // Keras takes moments in float32 whatever the type.
            let limit = sample.framework == "keras" ? 1e-5 : 1e-11
            #expect(worst <= limit * scale, "\(sample): \(what) is off by \(worst)")
        }
        let norm = sample.layer()
        let isMasked = sample.steps[0].mask != nil
        let step = Step(backend: backend) { inputs in
            let parameters = norm.parameters.map(\.tensor)
            let y =
                isMasked
                ? norm(inputs[0], Context(.training), mask: inputs[2])
                : norm(inputs[0], Context(.training))
            return [y] + pullback(of: [y], seeds: [inputs[1]], to: [inputs[0]] + parameters)
        }
        for (index, batch) in sample.steps.enumerated() {
            let isLast = index == sample.steps.count - 1
            let x = batch.x.array
            let dy = isLast ? sample.upstream.array : NDArray(zeros: x.shape, .float64)
            let outputs = step.run([x, dy] + (batch.mask.map { [$0.array] } ?? [])).outputs
            check(outputs[0], batch.output, "output \(index)")
            check(norm.statistics!.runningMean.value, batch.mean, "mean \(index)")
            check(norm.statistics!.runningVariance.value, batch.variance, "variance \(index)")
            guard isLast else { continue }
            for (found, name) in zip(outputs.dropFirst(), ["x", "gamma", "beta"]) {
                check(found, sample.gradients[name]!, "gradient of \(name)")
            }
        }
    }
}
