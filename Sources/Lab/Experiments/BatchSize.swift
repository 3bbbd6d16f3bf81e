import Training

extension Experiment {
    package static let batchSize = Experiment(
        name: "batch-size",
        title: "Small batches",
        question: "How does accuracy depend on the batch size, per normalizer?",
        setUp: """
            Three hidden layers of 100 ReLU units, He initialization, plain gradient descent. Every \
            configuration sees the same number of samples; the learning rate is 0.1 at a batch of 64 and \
            proportional to the batch size. Ghost batches have 16 samples, groups 10 units.
            """,
        source: "Wu and He 2018, section 4.1; Ioffe 2017; Hoffer et al. 2017",
        grid: { options in
            let samples = options.pick(quick: 24_000, full: 600_000)
            let trial = Trial(options.network(.perceptron([100, 100, 100])), steps: 1)
            return Grid(trial)
                .overNorms([.batch, .ghost(16), .batchRenorm, .group(10), .layer])
                .over("batch size", numbers: [2, 4, 8, 16, 32, 64, 128, 256]) { trial, size in
                    trial.run.batchSize = Int(size)
                    trial.run.length = .steps(samples / Int(size))
                    trial.run.learningRate = 0.1 * size / 64
                }
        },
        figures: [
            .sweep(
                "Final test accuracy", "testAccuracy", y: "test accuracy", over: "batch size",
                lines: Axis.norm),
            .heatMap(
                "Final test accuracy, every configuration", "testAccuracy", label: "test accuracy",
                x: "batch size", y: Axis.norm),
        ],
        claims: [
            .difference(
                "At a batch size of 2 group norm is more accurate than batch norm.",
                unit: "percentage points"
            ) { seed in
                func accuracy(_ norm: String) -> Double? {
                    seed.outcome([Axis.norm: norm, "batch size": "2"])?.scalars["testAccuracy"]
                }
                guard let group = accuracy("group=10"), let batch = accuracy("batch") else {
                    return nil
                }
                return (group - batch) * 100
            }
        ])
}
