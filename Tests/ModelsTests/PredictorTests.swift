import Arrays
import Graph
import Layers
import Models
import Runtime
import TestSupport
import Testing

@Suite("Predictors")
struct PredictorTests {
    static func images(_ shape: Shape) -> NDArray {
        NDArray(Philox(key: 6).normal(shape).map { Float($0) }, shape: shape)
    }

    static var networks: [Module] {
        [
            PlainNetworks.cnn(image: [16, 16, 2], classes: 3, widths: [4, 6], hidden: 8),
            ResNet.small(depth: 8, channels: 2, classes: 3, width: 8),
            ResNet.small(depth: 8, channels: 2, classes: 3, width: 8, preActivation: true),
            ResNet(
                channels: 2, classes: 3, depths: [1, 1], width: 4, block: .bottleneck, stem: .large),
            MobileNetV2(channels: 2, classes: 3, widthMultiplier: 0.1, reduction: 8),
        ]
    }

    @Test(
        "Outputs are the model's, folded and not, for any threads",
        arguments: networks.indices, [true, false])
    func outputs(_ index: Int, _ folded: Bool) throws {
        let model = Self.networks[index]
        model.initialize(seed: 4)
        model.pretendTraining(seed: 4)
        if folded { _ = try model.fold(verifying: Self.images([2, 16, 16, 2])) }
        for samples in [1, 5] {
            let x = Self.images([samples, 16, 16, 2])
            let expected = model(Tensor(x)).evaluate().elements(as: Double.self)
            let found = (1...3).map { Predictor(model, workers: Workers(count: $0))(x) }
            #expect(found[0].shape == [samples, 3])
            #expect(found[1] == found[0] && found[2] == found[0])
            let scale = expected.map(abs).max()!
            for (a, b) in zip(found[0].elements(as: Double.self), expected) {
                #expect(abs(a - b) <= 1e-5 * scale)
            }
        }
    }

    @Test("A folded residual network's plan: no packing, one phase, rows of a single image")
    func plans() throws {
        let model = ResNet.small(depth: 8, channels: 1, classes: 3, width: 16)
        model.initialize(seed: 1)
        try model.takeFoldedStructure(input: TensorSpec([1, 28, 28, 1], .float32))
        let predictor = Predictor(model)
        func plan(_ samples: Int) throws -> String {
            let plan = try predictor.plan(TensorSpec([samples, 28, 28, 1], .float32))
            return try #require(plan).description
        }
        let (batch, single) = (try plan(64), try plan(1))
        #expect(!batch.contains("packWeight") && !single.contains("packWeight"))
        #expect(batch.contains("convolution+bias+residual+relu"))
        #expect(!batch.contains("by rows") && batch.split(separator: "phase ").count <= 4)
        // Nine convolutions, of which the first is small.
        #expect(single.split(separator: "by rows").count >= 9)
        #expect(single.contains(" shards of 7 of 28 rows"))
    }

    @Test("What is not finite stays visible, and the values are those at the beginning")
    func values() throws {
        let model = ResNet.small(depth: 8, channels: 1, classes: 3, width: 4)
        model.initialize(seed: 1)
        try model.takeFoldedStructure(input: TensorSpec([1, 8, 8, 1], .float32))
        let predictor = Predictor(model)
        let x = Self.images([2, 8, 8, 1])
        let before = predictor(x)
        var damaged = x
        damaged.withMutableElements(Float.self) { $0[3] = .nan }
        let y = predictor(damaged).elements(as: Float.self)
        #expect(y[0].isNaN && !y[3].isNaN)

        let weight = model.parameters[0]
        weight.value = NDArray(repeating: Float.nan, shape: weight.shape)
        #expect(predictor(x) == before)
        #expect(Predictor(model)(x).elements(as: Float.self).allSatisfy { $0.isNaN })
    }
}
