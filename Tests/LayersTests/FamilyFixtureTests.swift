import Arrays
import Graph
import Layers
import Runtime
import TestSupport
import Testing

/// The normalizers against PyTorch and the papers' formulas; see Tests/Fixtures/make_family.py.
@Suite("Normalization family: fixtures")
struct FamilyFixtureTests {
    struct File: Decodable { var cases: [OperationFixture] }

    static let cases: [OperationFixture] =
        (try? Fixtures.load("family.json", as: File.self).cases) ?? []

    @Test("The file holds every layer at every layout")
    func isThere() { #expect(Self.cases.count == 48) }

    static func layer(_ sample: OperationFixture) -> Module {
        let shape = Shape(sample.inputs["x"]!.shape)
        let axis = Int(sample.attributes["axis"]!.number!)
        let channels = shape[shape.normalized(axis: axis)]
        return switch sample.operation {
        case "group_norm": GroupNorm(groups: 3, channels, axis: axis)
        case "instance_norm": InstanceNorm(channels, axis: axis, scale: true, center: true)
        case "rms_norm": RMSNorm(shape.last!)
        case "unit_norm": UnitNorm(axis: axis)
        case "local_response_norm":
            LocalResponseNorm(size: 4, alpha: 0.5, beta: 0.6, k: 1.5, axis: axis)
        case "filter_response_norm": FilterResponseNorm(channels, axis: axis, epsilon: 1e-5)
        case "evonorm_b0": EvoNormB0(channels, axis: axis)
        case "evonorm_s0": EvoNormS0(groups: 3, channels, axis: axis)
        default: preconditionFailure("no layer is called \(sample.operation)")
        }
    }

    /// Names in the fixtures for names in checkpoints.
    static let names = ["weight": "gamma", "bias": "beta"]

    @Test("Values and gradients", arguments: cases.indices, [ElementType.float64, .float32])
    func agrees(index: Int, type: ElementType) {
        let sample = Self.cases[index]
        let layer = Self.layer(sample)
        layer.convert(to: type)
        let parameters = layer.namedParameters
        for (name, parameter) in parameters {
            parameter.value = sample.inputs[Self.names[name] ?? name]!.array.converted(to: type)
        }
        let x = sample.inputs["x"]!.array.converted(to: type)
        let dy = sample.upstream.array.converted(to: type)
        let outputs = Step(FamilyCase.body(layer))(x, dy).outputs
        let gradients =
            [sample.gradients["x"]!]
            + parameters.map {
                sample.gradients[Self.names[$0.name] ?? $0.name]!
            }
        for (found, expected) in zip(outputs, [sample.output] + gradients) {
            let largest = expected.values.map(abs).max() ?? 0
            let limit = type == .float64 ? 1e-11 : 2e-5
            let worst =
                zip(found.elements(as: Double.self), expected.values)
                .map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= limit * max(largest, 1), "\(sample.operation) is off by \(worst)")
        }
    }
}
