import Arrays
import Graph
import Layers
import Models
import Runtime
import TestSupport
import Testing

/// The networks without their batch norms, which must be the same functions.
@Suite("Folded networks")
struct FoldedNetworkTests {
    /// Small networks of every kind, with how many of their norms fold and which stay.
    static var networks: [(Module, folded: Int, kept: [String])] {
        let preActivation = ["bn", "layer1.0.bn1", "layer2.0.bn1", "layer3.0.bn1"]
        return [
            (PlainNetworks.cnn(image: [16, 16, 2], classes: 3, widths: [4, 6], hidden: 8), 5, []),
            (PlainNetworks.vgg(channels: 2, classes: 3, stages: [(4, 1), (6, 2)]), 3, []),
            (ResNet.small(depth: 8, channels: 2, classes: 3, width: 4), 9, []),
            (
                ResNet.small(
                    depth: 8, channels: 2, classes: 3, width: 4, preActivation: true), 3,
                preActivation
            ),
            (
                ResNet(
                    channels: 2, classes: 3, depths: [1, 1], width: 2, block: .bottleneck,
                    stem: .large), 9, []
            ),
            (MobileNetV2(channels: 2, classes: 3, widthMultiplier: 0.1, reduction: 8), 52, []),
        ]
    }

    @Test("Every norm behind a convolution folds", arguments: networks.indices)
    func fold(_ index: Int) throws {
        let (model, folded, kept) = Self.networks[index]
        model.initialize(seed: 4)
        model.pretendTraining(seed: 4)
        let x = NDArray(
            Philox(key: 6).normal([4, 16, 16, 2]).map { Float($0) }, shape: [4, 16, 16, 2])
        let before = model(Tensor(x)).evaluate()
        let norms = model.namedModules.filter { $0.module is BatchNorm }.map(\.name)
        let certificate = try model.fold(verifying: x)
        #expect(certificate.folded.count == folded && certificate.kept.keys.sorted() == kept)
        #expect(Set(certificate.folded + certificate.kept.keys) == Set(norms))
        let after = model(Tensor(x)).evaluate()
        let (a, b) = (before.elements(as: Double.self), after.elements(as: Double.self))
        let scale = a.map(abs).max()!
        #expect(zip(a, b).map { abs($0 - $1) }.max()! <= 1e-5 * scale + 1e-6)
        // Outputs that do not depend on the input would show nothing.
        #expect(a[0] != a[3])
    }
}
