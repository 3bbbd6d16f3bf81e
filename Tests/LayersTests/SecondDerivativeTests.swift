import Arrays
import Graph
import Layers
import Runtime
import Testing

/// The gradients' own gradients, which penalties on gradients need, against finite differences in Double.
@Suite("Second derivatives")
struct SecondDerivativeTests {
    static let layers: [(name: String, make: @Sendable () -> Module)] = [
        ("BatchNorm", { BatchNorm(4, axis: 1) }),
        ("LayerNorm", { LayerNorm([4, 3], axes: [1, 2]) }),
        ("RMSNorm", { RMSNorm([4], axes: [1]) }),
        ("GroupNorm", { GroupNorm(groups: 2, 4, axis: 1) }),
        ("InstanceNorm", { InstanceNorm(4, axis: 1, scale: true, center: true) }),
        ("GhostBatchNorm", { GhostBatchNorm(ghostSize: 2, 4, axis: 1) }),
    ]

    @Test(
        "Of input, parameters and upstream gradient", arguments: layers.indices,
        [Backend.fast, .reference])
    func secondDerivatives(index: Int, backend: Backend) {
        let layer = Self.layers[index].make()
        layer.convert(to: .float64)
        for (position, parameter) in layer.parameters.enumerated() {
            let values = Philox(key: UInt64(position + 3)).uniform(parameter.shape, in: 0.5..<1.5)
            parameter.value = NDArray(values, shape: parameter.shape)
        }
        let shape: Shape = [4, 4, 3]
        let parameters = layer.parameters
        func noise(_ key: UInt64, _ shape: Shape) -> NDArray {
            NDArray(Philox(key: key).normal(shape), shape: shape)
        }
        let directions = [noise(20, shape)] + parameters.map { noise(21, $0.shape) }
        /// The first derivatives along the directions: a number that depends on x, dy and the parameters.
        func slope(_ inputs: [Tensor]) -> Tensor {
            let y = layer(inputs[0], Context(.training))
            let targets = [inputs[0]] + parameters.map(\.tensor)
            let gradients = pullback(of: [y], seeds: [inputs[1]], to: targets)
            return zip(gradients, directions).map { ($0 * Tensor($1)).sum() }.reduce(
                Tensor.zeros([], .float64), +)
        }
        let values = Step(backend: backend) { [slope($0)] }
        let point = [noise(1, shape), noise(2, shape)]
        let second = Step(backend: backend) { inputs in
            slope(inputs).gradients(inputs + parameters.map(\.tensor))
        }.run(point).outputs
        let size = 1e-5
        for target in second.indices {
            let gradient: [Double] = second[target].elements()
            let largest = gradient.map(abs).max() ?? 0
            for element in stride(from: 0, to: gradient.count, by: 5) {
                func value(_ distance: Double) -> Double {
                    var moved = point
                    let parameter = target < 2 ? nil : parameters[target - 2]
                    let kept = parameter?.value
                    var numbers: [Double] = (kept ?? point[target]).elements()
                    numbers[element] += distance
                    let changed = NDArray(numbers, shape: second[target].shape)
                    if let parameter { parameter.value = changed } else { moved[target] = changed }
                    defer { if let parameter { parameter.value = kept! } }
                    return values.run(moved).outputs[0].item()
                }
                let expected = (value(size) - value(-size)) / (2 * size)
                #expect(
                    abs(gradient[element] - expected) <= 1e-6 * (1 + largest),
                    "\(Self.layers[index].name): result \(target), element \(element)")
            }
        }
    }
}
