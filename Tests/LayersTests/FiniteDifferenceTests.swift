import Arrays
import Graph
import Layers
import Runtime
import Testing

/// First derivatives against finite differences in Double, where something is constant by definition:
/// singular vectors, and the corrections of batch renorm.
@Suite("First derivatives around constants")
struct FiniteDifferenceTests {
    private static func noise(_ key: UInt64, _ shape: Shape) -> NDArray {
        NDArray(Philox(key: key).normal(shape), shape: shape)
    }

    /// Compares the gradient of `sum(function(x) * direction)` with differences, element by element.
    private func check(
        _ name: String, at point: NDArray, _ function: @escaping (Tensor) -> Tensor,
        _ backend: Backend,
        prepare: () -> Void = {}
    ) {
        let direction = Self.noise(99, function(Tensor(point)).shape)
        func loss(_ x: Tensor) -> Tensor { (function(x) * Tensor(direction)).sum() }
        let step = Step(backend: backend) { [loss($0[0]), loss($0[0]).gradients([$0[0]])[0]] }
        let gradient: [Double] = step(point).outputs[1].elements()
        let largest = 1 + gradient.map(abs).max()!
        let size = 1e-6
        for element in gradient.indices {
            func value(_ distance: Double) -> Double {
                var numbers: [Double] = point.elements()
                numbers[element] += distance
                prepare()
                return step(NDArray(numbers, shape: point.shape)).outputs[0].item()
            }
            let expected = (value(size) - value(-size)) / (2 * size)
            #expect(
                abs(gradient[element] - expected) <= 1e-6 * largest,
                "\(name), element \(element): \(gradient[element]), not \(expected)")
        }
    }

    /// Weights of dense layers and of convolutions.
    static let weights: [Shape] = [[3, 5], [4, 2, 3], [5, 3, 3, 2]]

    @Test("Reparametrizations", arguments: weights, [Backend.fast, .reference])
    func reparametrizations(shape: Shape, backend: Backend) {
        let raw = Self.noise(1, shape)
        let magnitude = NDArray(Philox(key: 2).uniform([shape[0]], in: 0.5..<2), shape: [shape[0]])
        check(
            "WeightNorm's direction", at: raw,
            {
                WeightNorm.weight(direction: $0, magnitude: Tensor(magnitude))
            }, backend)
        check(
            "WeightNorm's magnitude", at: magnitude,
            {
                WeightNorm.weight(direction: Tensor(raw), magnitude: $0)
            }, backend)
        check(
            "WeightStandardization", at: raw,
            {
                WeightStandardization.weight($0, epsilon: 1e-5)
            }, backend)
    }

    /// At the singular vectors themselves, holding them constant changes nothing.
    @Test("Spectral norm", arguments: [Backend.fast, .reference])
    func spectralNorm(backend: Backend) {
        let start = Tensor(SpectralNorm.start(units: 3))
        check(
            "SpectralNorm", at: Self.noise(1, [3, 5]),
            { SpectralNorm.weight($0, u: start, iterations: 200).weight }, backend)
    }

    /// Limits at which r and d are what they are for every input nearby.
    @Test("Batch renorm", arguments: [1, 2.5], [Backend.fast, .reference])
    func batchRenorm(rmax: Double, backend: Backend) {
        let layer = BatchRenorm(4, axis: 1, limits: .constant(rmax: rmax, dmax: rmax - 1))
        layer.convert(to: .float64)
        for (position, parameter) in layer.parameters.enumerated() {
            parameter.value = NDArray(
                Philox(key: UInt64(position + 5)).uniform([4], in: 0.5..<1.5), shape: [4])
        }
        // Every run of a step moves the statistics; each begins with these.
        func prepare() {
            layer.statistics.runningMean.value = NDArray([50.0, -50, 80, -80])
            layer.statistics.runningVariance.value = NDArray([1e-4, 1e-3, 1e-4, 1e-3])
        }
        prepare()
        check(
            "BatchRenorm", at: Self.noise(3, [5, 4, 2]), { layer($0, Context(.training)) }, backend,
            prepare: prepare)
        for parameter in layer.parameters {
            let x = Self.noise(4, [5, 4, 2])
            let kept = parameter.value
            let gradient: [Double] = Step(backend: backend) { inputs in
                layer(inputs[0], Context(.training)).sum().gradients([parameter.tensor])
            }(x).outputs[0].elements()
            for element in 0..<4 {
                func value(_ distance: Double) -> Double {
                    var numbers: [Double] = kept.elements()
                    numbers[element] += distance
                    parameter.value = NDArray(numbers, shape: [4])
                    defer { parameter.value = kept }
                    return layer(Tensor(x), Context(.training)).sum().evaluate(backend: backend)
                        .item()
                }
                let expected = (value(1e-6) - value(-1e-6)) / 2e-6
                #expect(abs(gradient[element] - expected) <= 1e-6 * (1 + abs(expected)))
            }
        }
    }
}
