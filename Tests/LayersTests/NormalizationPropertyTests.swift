import Arrays
import Graph
import Layers
import Runtime
import Testing

@Suite("Normalization family: properties")
struct NormalizationPropertyTests {
    /// Set this to what a failure printed to see it again.
    static let seed: UInt64? = nil

    @Test("Both backends agree, threads do not show, over random shapes, axes and options")
    func backendsAgree() {
        let seed = Self.seed ?? UInt64.random(in: 0..<1_000_000)
        var generator = PhiloxGenerator(seed: seed)
        let workers = [Workers(count: 1), Workers(count: 3)]
        var count = 0
        while count < 2000 {
            let sample = FamilyCase.random(&generator)
            if sample.isDegenerate { continue }
            count += 1
            // Far from 0 the gates of EvoNorm are all open, and what is left of their gradient is rounding.
            let offset = sample.name.hasPrefix("EvoNorm") ? 0.3 : [0.3, 10, 1000][count % 3]
            let x = sample.input(seed: UInt64(count), offset: offset).converted(to: .float32)
            let dy = sample.input(seed: UInt64(count + 7), offset: 0).converted(to: .float32)
            let found = Step(workers: workers[0], FamilyCase.body(sample.layer(.float32)))(x, dy)
            if count % 8 == 0 {
                let other = Step(workers: workers[1], FamilyCase.body(sample.layer(.float32)))(
                    x, dy)
                #expect(other.outputs == found.outputs, "seed \(seed), case \(count): \(sample)")
            }
            let expected = Step(
                backend: .reference, FamilyCase.body(sample.layer(.float32)))(x, dy).outputs
            for (position, (a, b)) in zip(found.outputs, expected).enumerated() {
                let (u, v) = (a.elements(as: Double.self), b.elements(as: Double.self))
                // Output and states element by element. A gradient is the rest of what cancels: its
                // terms are as large as dy over the deviation, at most dy over the root of epsilon.
                let isOutput = position == 0
                let scale = max(v.map(abs).max() ?? 0, isOutput ? 0 : 1)
                let worst =
                    zip(u, v).map { a, b in
                        abs(a - b) / (isOutput ? 1 + abs(b) : scale)
                    }.max() ?? 0
                #expect(
                    worst <= (isOutput ? 4e-6 : 1e-3),
                    "seed \(seed), case \(count): \(sample) at \(offset): result \(position) is off by \(worst)"
                )
            }
        }
    }

    @Test("First derivatives of every layer match finite differences in Double")
    func finiteDifferences() {
        var generator = PhiloxGenerator(seed: 11)
        var count = 0
        while count < 120 {
            let sample = FamilyCase.random(&generator)
            // Steps would cross the corners of a threshold at 0, and r and d are constants by definition.
            if sample.isDegenerate || sample.name.hasPrefix("BatchRenorm") { continue }
            count += 1
            let layer = sample.layer(.float64)
            let x = sample.input(seed: UInt64(count))
            let dy = sample.input(seed: UInt64(count + 9))
            let direction = sample.input(seed: UInt64(count + 5))
            func loss(_ input: NDArray) -> Double {
                let y = layer(Tensor(input), Context(.training)).evaluate(backend: .reference)
                return zip(y.elements(as: Double.self), dy.elements(as: Double.self))
                    .reduce(0) { $0 + $1.0 * $1.1 }
            }
            let step = 1e-6
            func moved(_ distance: Double) -> NDArray {
                NDArray(
                    zip(x.elements(as: Double.self), direction.elements(as: Double.self))
                        .map { $0 + distance * $1 }, shape: x.shape)
            }
            let outputs = Step(backend: .reference, FamilyCase.body(layer))(x, dy).outputs
            let gradient: [Double] = outputs[1].elements()
            let expected = (loss(moved(step)) - loss(moved(-step))) / (2 * step)
            let found = zip(gradient, direction.elements(as: Double.self))
                .reduce(0) { $0 + $1.0 * $1.1 }
            let size = zip(gradient, direction.elements(as: Double.self))
                .reduce(1) { $0 + abs($1.0 * $1.1) }
            #expect(abs(found - expected) <= 2e-5 * size, "\(sample): \(found), not \(expected)")
            for (position, parameter) in layer.parameters.enumerated() {
                let values = parameter.value
                let gradient: [Double] = outputs[2 + position].elements()
                let element = count % values.elementCount
                func shifted(_ distance: Double) -> Double {
                    var numbers: [Double] = values.elements()
                    numbers[element] += distance
                    parameter.value = NDArray(numbers, shape: values.shape)
                    defer { parameter.value = values }
                    return loss(x)
                }
                let expected = (shifted(step) - shifted(-step)) / (2 * step)
                let size = 1 + gradient.map(abs).max()!
                #expect(
                    abs(gradient[element] - expected) <= 2e-5 * size,
                    "\(sample): parameter \(position)")
            }
        }
    }

    @Test("Constant channels come out as beta, exactly, at any epsilon")
    func constants() {
        let value = NDArray(repeating: Float(3.3), shape: [4, 5, 6])
        for epsilon in [0, 1e-5] {
            let layers: [Module] = [
                BatchNorm(6, epsilon: epsilon), LayerNorm(6, epsilon: epsilon),
                GroupNorm(groups: 3, 6, epsilon: epsilon),
                InstanceNorm(6, epsilon: epsilon, scale: true, center: true),
                GhostBatchNorm(ghostSize: 2, 6, epsilon: epsilon),
            ]
            for layer in layers {
                let beta = layer.namedParameters.first { $0.name == "bias" }!.parameter
                beta.value = NDArray([Float(0.1), 0.2, 0.3, -4, 5, 6])
                let dy = NDArray(Philox(key: 4).normal([4, 5, 6]), shape: [4, 5, 6])
                let outputs = Step(FamilyCase.body(layer))(value, dy.converted(to: .float32))
                    .outputs
                let expected = Tensor(beta.value).broadcast(to: [4, 5, 6]).evaluate()
                #expect(outputs[0] == expected, "\(type(of: layer)), epsilon \(epsilon)")
                let gradient: [Double] = outputs[1].elements()
                let isFinite = gradient.allSatisfy { $0.isFinite }
                #expect(isFinite)
            }
        }
    }
}
