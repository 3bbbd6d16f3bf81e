import Training

extension Experiment {
    static let statistics = Experiment(
        name: "statistics",
        title: "Running statistics",
        question: "How far is inference from training, for several ways to average statistics?",
        setUp: """
            Three hidden layers of 100 ReLU units with batch norm, plain gradient descent with a learning rate \
            of 0.1. The gap is the difference between the loss of the test samples normalized by running \
            statistics, and of the same samples in batches of the training's size normalized by their own. \
            Exponential averages give each new batch the weight named; the window holds 50 batches; for the \
            population, the statistics are recomputed over 4,000 training samples.
            """,
        source: "Ioffe and Szegedy 2015, section 3.1; Wu and Johnson 2021, section 3",
        withModel: "It takes the place of the network; its batch norms get each of the averages.",
        grid: { options in
            let steps = options.pick(quick: 600, full: 6000)
            var trial = Trial(options.network(.perceptron([100, 100, 100])), steps: steps)
            trial.run.norm = .batch
            func averaged(_ changes: [String: ModelDescription.Option]) -> Grid.Change {
                { $0.network = $0.network.mapLayers { $0.withBatchNorm(changes) } }
            }
            func exponential(_ weight: Double) -> (Level, Grid.Change) {
                (
                    Level("weight \(NumberText.short(weight))"),
                    averaged(["average": .text("exponential"), "momentum": .number(weight)])
                )
            }
            return Grid(trial)
                .over("batch size", numbers: options.pick(quick: [8, 60], full: [2, 8, 60, 250])) {
                    $0.run.batchSize = Int($1)
                    $0.probes.append(.modes(every: steps / 12, population: false))
                }
                .over(
                    "average",
                    [
                        exponential(0.01), exponential(0.1), exponential(0.5),
                        (Level("cumulative"), averaged(["average": .text("cumulative")])),
                        (
                            Level("window"),
                            averaged(["average": .text("sliding"), "window": .integer(50)])
                        ),
                        (
                            Level("population"),
                            {
                                $0.probes.removeLast()
                                $0.probes.append(.modes(every: steps / 12, population: true))
                            }
                        ),
                    ])
        },
        figures: [
            .curvesPerLevel(
                "batch size", "Gap of the loss, batch size", "modeGap", y: "gap",
                lines: "average", yScale: .logarithmic),
            .bars(
                "Gap over the second half", "lateModeGap", y: "gap of the loss", over: "average",
                groups: "batch size", yScale: .logarithmic),
            .bars(
                "Final test accuracy", "testAccuracy", y: "test accuracy", over: "average",
                groups: "batch size"),
        ],
        claims: [
            .ratio(
                "At the larger batch size the cumulative average is further from training than an "
                    + "exponential one of weight 0.1.", atLeast: 1
            ) { ratio("cumulative", "weight 0.1", $0) },
            .ratio(
                "There, a weight of 0.5 is further from training than one of 0.1.", atLeast: 1
            ) { ratio("weight 0.5", "weight 0.1", $0) },
        ])

    /// The gap of one average over that of another, at the largest batch size.
    private static func ratio(_ first: String, _ second: String, _ seed: Results.Seed) -> Bounded? {
        guard let size = seed.results.levels("batch size").last?.label,
            let a = seed.outcome(["batch size": size, "average": first])?.scalars["lateModeGap"],
            let b = seed.outcome(["batch size": size, "average": second])?.scalars["lateModeGap"],
            a > 0, b > 0
        else { return nil }
        return Bounded(a / b)
    }
}
