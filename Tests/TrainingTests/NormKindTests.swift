import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Kinds of normalization by name")
struct NormKindTests {
    @Test("Names read back; numbers must be positive")
    func names() {
        for kind in NormKind.allCases { #expect(NormKind(rawValue: kind.rawValue) == kind) }
        #expect(NormKind(rawValue: "ghost=64") == .ghost(64))
        for wrong in [
            "ghost", "ghost=0", "ghost=-1", "group=x", "group=", "batch=3", "weights", "",
        ] {
            #expect(NormKind(rawValue: wrong) == nil)
        }
    }

    @Test("Every kind makes a perceptron that can be trained", arguments: NormKind.allCases)
    func builds(kind: NormKind) throws {
        let description = ModelDescription.perceptron(hidden: [12, 8], outputs: 3, norm: kind)
        if kind == .instance {
            #expect(throws: ConfigurationError.self) { try description.build(input: [5]) }
            return
        }
        let model = try description.build(input: [5])
        model.initialize(seed: 4)
        let x = NDArray(Philox(key: 1).normal([40, 5]), shape: [40, 5]).converted(to: .float32)
        let step = Step { inputs in
            let y = model(inputs[0], Context(.training))
            let gradients = y.square().sum().gradients(model.parameters.map(\.tensor))
            return [y] + gradients
        }
        let outputs = step(x).outputs
        #expect(outputs[0].shape == [40, 3])
        for output in outputs {
            let isFinite = output.elements(as: Double.self).allSatisfy { $0.isFinite }
            #expect(isFinite)
        }
        // Normalizers in front of the bias take it away; what they put in its place is theirs.
        #expect(model(Tensor(x)).evaluate().shape == [40, 3])
    }

    @Test("Every kind goes into a named network", arguments: NormKind.allCases)
    func networks(kind: NormKind) throws {
        var configuration = RunConfiguration()
        configuration.architecture = .cnn
        configuration.norm = kind
        let pixels = NDArray(Philox(key: 3).normal([6, 8, 8, 1]), shape: [6, 8, 8, 1])
        let data = try Dataset(
            features: pixels.converted(to: .float32),
            labels: NDArray((0..<6).map { Int32($0 % 3) }))
        let model = try configuration.makeModel(data)
        let y = Step { [model($0[0], Context(.training))] }(data.features).outputs[0]
        #expect(y.shape == [6, 3])
        let isFinite = y.elements(as: Double.self).allSatisfy { $0.isFinite }
        #expect(isFinite)
        let keepsBatchNorm = model.namedModules.contains { $0.module is BatchNorm }
        #expect(keepsBatchNorm == (kind == .batch))
    }
}
