import Arrays
import Graph
import Layers
import Models
import Normalization
import Runtime
import Testing

@Suite("Models")
struct ModelTests {
    @Test("As many parameters as torchvision's networks have")
    func parameterCounts() {
        #expect(ResNet.resNet18().parameterCount == 11_689_512)
        #expect(ResNet.resNet50().parameterCount == 25_557_032)
        #expect(MobileNetV2().parameterCount == 3_504_872)
        // 269,722 with shortcuts that have no parameters, and two projections.
        #expect(
            ResNet.small(depth: 20, channels: 3, classes: 10).parameterCount == 269_722 + 2_752)
    }

    @Test("Names are torchvision's")
    func names() {
        let names = Set(
            ResNet.resNet50().namedParameters.map(\.name)
                + ResNet.resNet50().namedStates.map(\.name))
        for name in [
            "conv1.weight", "bn1.weight", "bn1.running_mean", "layer1.0.conv3.weight",
            "layer3.5.bn2.running_var", "layer4.0.downsample.0.weight",
            "layer4.0.downsample.1.bias", "layer2.0.downsample.1.num_batches_tracked", "fc.bias",
        ] {
            #expect(names.contains(name), "\(name)")
        }
        let mobile = Set(MobileNetV2().namedParameters.map(\.name))
        for name in [
            "features.0.0.weight", "features.0.1.bias", "features.1.conv.0.0.weight",
            "features.1.conv.1.weight", "features.1.conv.2.weight", "features.17.conv.3.bias",
            "features.18.1.weight", "classifier.1.weight",
        ] {
            #expect(mobile.contains(name), "\(name)")
        }
    }

    static var networks: [(Module, Shape)] {
        [
            (
                ResNet(
                    channels: 3, classes: 7, depths: [2, 2, 2, 2], width: 8, stem: .large),
                [2, 64, 64, 3]
            ),
            (
                ResNet(
                    channels: 3, classes: 7, depths: [3, 4, 6, 3], width: 4, block: .bottleneck),
                [2, 32, 32, 3]
            ),
            (ResNet.small(depth: 56, channels: 1, classes: 7), [2, 28, 28, 1]),
            (
                ResNet.small(depth: 20, channels: 3, classes: 7, preActivation: true),
                [2, 32, 32, 3]
            ),
            (MobileNetV2(classes: 7, widthMultiplier: 0.2), [2, 64, 64, 3]),
            (
                MobileNetV2(channels: 1, classes: 7, widthMultiplier: 0.35, reduction: 8),
                [2, 28, 28, 1]
            ),
            (PlainNetworks.cnn(image: [28, 28, 1], classes: 7), [2, 28, 28, 1]),
            (
                PlainNetworks.vgg(channels: 3, classes: 7, stages: [(8, 1), (16, 2)]),
                [2, 32, 32, 3]
            ),
        ]
    }

    @Test("Logits for every image", arguments: networks.indices)
    func shapes(_ index: Int) {
        let (model, image) = Self.networks[index]
        #expect(model(Tensor.zeros(image)).shape == [2, 7])
        #expect(model(Tensor.zeros(image), Context(.training)).shape == [2, 7])
    }

    static let normalizers: [Normalizer] = [.batch(), .group(2), .instance, .layer, .none]

    private static func tiny(_ normalizer: Normalizer) -> [Module] {
        [
            ResNet.small(depth: 8, channels: 2, classes: 3, width: 4, normalizer: normalizer),
            ResNet.small(
                depth: 8, channels: 2, classes: 3, width: 4, preActivation: true,
                normalizer: normalizer),
            ResNet(
                channels: 2, classes: 3, depths: [1, 1], width: 2, block: .bottleneck,
                normalizer: normalizer),
            PlainNetworks.cnn(
                image: [8, 8, 2], classes: 3, widths: [4, 6], hidden: 8, dropout: 0,
                normalizer: normalizer),
            PlainNetworks.vgg(
                channels: 2, classes: 3, stages: [(4, 1), (6, 2)], normalizer: normalizer),
        ]
    }

    /// Every kind of network with every normalizer: loss and gradients of both backends.
    @Test("Backends agree on loss and gradients", arguments: normalizers)
    func gradients(_ normalizer: Normalizer) {
        for model in Self.tiny(normalizer) {
            model.initialize(seed: 3)
            let images = NDArray(
                Philox(key: 1).normal([6, 8, 8, 2]).map { Float($0) }, shape: [6, 8, 8, 2])
            let labels = NDArray([Int32(0), 1, 2, 2, 1, 0])
            let body: ([Tensor]) -> [Tensor] = { inputs in
                let logits = model(inputs[0], Context(.training))
                let loss = logits.crossEntropy(inputs[1]).mean()
                return [loss] + loss.gradients(model.parameters.map(\.tensor))
            }
            let expected = Step(backend: .reference, body)(images, labels).outputs
            let found = Step(body)(images, labels).outputs
            for (name, (a, b)) in zip(
                ["loss"] + model.namedParameters.map(\.name), zip(found, expected))
            {
                let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
                let scale = y.map(abs).max()! + 1e-3
                let worst = zip(x, y).map { abs($0 - $1) }.max()!
                #expect(worst <= 2e-3 * scale, "\(type(of: model)) \(name): \(worst) of \(scale)")
            }
        }
    }

    @Test("With a gamma of zero, blocks begin as identities")
    func zeroGamma() {
        let model = ResNet(
            channels: 2, classes: 3, depths: [3], width: 4, zeroGamma: true)
        model.initialize(seed: 1)
        let gammas = model.namedParameters.filter { $0.name.hasSuffix("bn2.weight") }
        #expect(gammas.count == 3)
        for gamma in gammas {
            #expect(gamma.parameter.value.elements(as: Float.self).allSatisfy { $0 == 0 })
        }
        // What the blocks' convolutions hold makes no difference.
        let x = Tensor(
            NDArray(Philox(key: 2).normal([2, 5, 5, 2]).map { Float($0) }, shape: [2, 5, 5, 2]))
        let before = model(x).evaluate()
        for (name, parameter) in model.namedParameters where name.contains("layer1.1.conv") {
            parameter.value = NDArray(repeating: 1, shape: parameter.shape).converted(to: .float32)
        }
        #expect(model(x).evaluate() == before)
    }
}
