import Training

extension Experiment {
    package static let normalizers = Experiment(
        name: "normalizers",
        title: "All normalizers on one task",
        question: "Which normalizer trains this network best?",
        setUp: """
            Three hidden layers of 100 ReLU units (those normalizers that bring an activation use their own), He \
            initialization, plain gradient descent with a learning rate of 0.1 in batches of 60. The same \
            for all; none is tuned.
            """,
        source: "the papers of the normalizers, named in their layers' documentation",
        grid: { options in
            let trial = Trial(
                options.network(.perceptron([100, 100, 100])),
                steps: options.pick(quick: 1500, full: 15_000))
            return Grid(trial).overNorms(NormKind.allCases.filter { $0 != .instance }).recording(
                .accuracy(every: 50))
        },
        figures: [
            .bars("Final test accuracy", "testAccuracy", y: "test accuracy", over: Axis.norm),
            .bars("Seconds of training", "seconds", y: "seconds, on one thread", over: Axis.norm),
            .bars(
                "Training accuracy less test accuracy", "gap", y: "gap", over: Axis.norm),
            .curves(
                "Test accuracy", "testAccuracy", y: "test accuracy", lines: Axis.norm),
        ],
        claims: [
            .difference(
                "Batch norm ends more accurate than no normalization.", unit: "percentage points"
            ) { seed in
                guard let with = seed.outcome([Axis.norm: "batch"])?.scalars["testAccuracy"],
                    let without = seed.outcome([Axis.norm: "none"])?.scalars["testAccuracy"]
                else { return nil }
                return (with - without) * 100
            }
        ])
}
