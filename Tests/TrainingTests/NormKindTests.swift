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

    @Test("Residual branches may begin with a gamma of zero", arguments: NormKind.allCases)
    func zeroGamma(kind: NormKind) throws {
        var configuration = RunConfiguration()
        configuration.architecture = .resnet20
        configuration.norm = kind
        configuration.zeroGamma = true
        guard kind.hasGamma else {
            let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
            #expect("\(error!)".contains("no gamma with norm \(kind.rawValue)"))
            return
        }
        try configuration.validate()
        #expect(try RunConfiguration(yaml: configuration.yaml, source: "c") == configuration)
        let data = try Dataset(
            features: NDArray(zeros: [2, 8, 8, 1]), labels: NDArray([Int32(0), 1]))
        let model = try configuration.makeModel(data)
        let gammas = model.namedParameters.filter { $0.name.contains("bn") }
            .filter { $0.name.hasSuffix(".weight") && $0.parameter.role == .scale }
        let isZero = gammas.map { named in
            named.parameter.value.elements(as: Float.self).allSatisfy { $0 == 0 }
        }
        #expect(isZero == gammas.map { $0.name.hasSuffix("bn2.weight") })
        #expect(isZero.count { $0 } == 9)
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
