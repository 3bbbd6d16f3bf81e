import EvenKeel

/// Trains a model batch by batch: what `Trainer.fit` does, written out.
struct TrainingLoop {
    private let data: Dataset
    private let labels: NDArray
    private let step: Step
    private var batches: BatchSampler

    init(_ model: Module, _ optimizer: Optimizer, _ data: Dataset, batchSize: Int, seed: UInt64)
        throws
    {
        guard let labels = data.labels else { preconditionFailure("expected data with labels") }
        self.data = data
        self.labels = labels
        batches = try BatchSampler(
            order: EpochOrder(count: data.count, seed: seed), batchSize: batchSize)

        // Traced once for each batch size, then run as a plan: gather, forward, backward, update.
        step = Step { inputs in
            let (images, labels, indices, rate) = (inputs[0], inputs[1], inputs[2], inputs[3])
            let batch = images.gather(indices).cast(to: .float32) * Double(data.scale)
            let output = model(batch, Context(.training, seed: seed, sampleIndices: indices))
            let loss = output.crossEntropy(labels.gather(indices)).mean()
            // Otherwise neither weights nor running statistics change.
            loss.requireFinite("loss")
            optimizer.minimize(loss, model, learningRate: rate)
            return [loss]
        }
    }

    /// Takes one epoch's batches and gives the mean of their losses.
    mutating func epoch(learningRate: (_ step: Int) -> Double) -> Double {
        var sum = 0.0
        for _ in 0..<batches.batchesPerEpoch {
            let rate = NDArray(scalar: learningRate(batches.step))
            let outcome = step(data.features, labels, batches.next().indices, rate)
            if outcome.isCommitted {
                sum += outcome.outputs[0].item(as: Double.self)
            } else {
                print("batch skipped, not finite: \(outcome.failedChecks)")
            }
        }
        return sum / Double(batches.batchesPerEpoch)
    }
}
