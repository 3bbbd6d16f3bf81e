import Arrays
import Graph
import Layers
import Models
import Testing
import Training

import Runtime

/// A training step in bfloat16: nothing of it falls back to slow kernels, and what it keeps is half as much
/// on a processor with such instructions. (On others convolutions go through float32, and trainings choose
/// that from the beginning.)
@Suite struct BFloat16PlanTests {
    private func plan(_ model: Module, _ image: Shape, _ type: ElementType) -> Plan {
        model.initialize(seed: 1)
        let optimizer = SGD(learningRate: 0.01, momentum: 0.9)
        let step = Step(workers: Workers(count: 2)) { inputs in
            let input = inputs[0].cast(to: .float32) * (1 / 255)
            let context = Context(.training, seed: 1, sampleIndices: inputs[2])
            let output = model(input.cast(to: type), context).cast(to: .float32)
            let loss = output.crossEntropy(inputs[1]).mean()
            optimizer.minimize(loss, model)
            return [loss]
        }
        let samples = 32
        return step.compiled([
            TensorSpec(Shape([samples] + image), .uint8), TensorSpec([samples], .int32),
            TensorSpec([samples], .int32),
        ]).plan!
    }

    @Test(arguments: [Normalizer.batch(), .none])
    func hasFastKernels(normalizer: Normalizer) {
        let models: [(String, () -> Module)] = [
            (
                "resnet",
                { ResNet.small(depth: 8, channels: 1, classes: 10, normalizer: normalizer) }
            ),
            (
                "cnn",
                { PlainNetworks.cnn(image: [28, 28, 1], classes: 10, normalizer: normalizer) }
            ),
            (
                "mobilenet",
                {
                    MobileNetV2(
                        channels: 1, classes: 10, widthMultiplier: 0.25, reduction: 8,
                        normalizer: normalizer)
                }
            ),
        ]
        for (name, make) in models {
            let half = plan(make(), [28, 28, 1], .bfloat16)
            for phase in half.phases {
                for kernel in phase.segments.flatMap(\.kernels) {
                    let isSlow =
                        kernel is ReferenceRowsKernel || kernel is ReferenceReductionKernel
                    #expect(!isSlow, "\(name)")
                }
            }
            // Without batch statistics forward and backward are one phase: nothing is kept.
            guard normalizer != .none, Processor.hasBFloat16 else { continue }
            let whole = plan(make(), [28, 28, 1], .float32)
            let ratio = Double(half.savedActivationBytes) / Double(whole.savedActivationBytes)
            #expect(ratio < 0.6, "\(name): \(ratio)")
        }
    }
}
