import Arrays
import Graph
import Layers
import Models
import Runtime
import Testing
import Training

/// What a training step of a residual network keeps for its backward pass.
@Suite struct ResidualPlanTests {
    @Test func keepsRawOutputsAndBlockSums() {
        let model = ResNet.small(depth: 14, channels: 1, classes: 10, width: 16)
        model.initialize(seed: 1)
        let optimizer = SGD(learningRate: 0.01, momentum: 0.9)
        let step = Step(workers: Workers(count: 2)) { inputs in
            let loss = model(inputs[0], Context(.training)).crossEntropy(inputs[1]).mean()
            optimizer.minimize(loss, model)
            return [loss]
        }
        let samples = 128
        let plan = step.compiled([
            TensorSpec([samples, 28, 28, 1], .float32), TensorSpec([samples], .int32),
        ]).plan!
        // Raw outputs: the stem's, two convolutions' per block, and a projection's in two of three stages.
        // Sums: of the large ones, in the first stage, every other is made again; the others are kept, but
        // for the last, which is made and read in the loss's phase.
        let stage = { (extent: Int, width: Int) in samples * extent * extent * width * 4 }
        let raw = 5 * stage(28, 16) + 5 * stage(14, 32) + 5 * stage(7, 64)
        let sums = stage(28, 16) + 2 * stage(14, 32) + stage(7, 64)
        #expect(plan.savedActivationBytes >= raw)
        // The loss's phase begins the backward pass: a gradient of the last block is there already.
        let gradient = stage(7, 64)
        #expect(Double(plan.savedActivationBytes) <= 1.01 * Double(raw + sums + gradient))
    }
}
