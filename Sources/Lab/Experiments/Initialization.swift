import Training

extension Experiment {
    static let initialization = Experiment(
        name: "initialization",
        title: "Initial weights that work",
        question: "How much do the first weights matter?",
        setUp: """
            Three hidden layers of 100 ReLU units whose weights, those of the last layer included, are \
            normally distributed with the deviation given, or Xavier's or He's; plain gradient descent with a \
            learning rate of 0.1 in batches of 60. A deviation works when the final test accuracy is at \
            least 90 % of the best that any configuration of the seed reaches.
            """,
        source: "Ioffe and Szegedy 2015, section 3.3",
        withModel:
            "It takes the place of the network; all its layers get each of the initial weights.",
        grid: { options in
            let trial = Trial(
                options.network(.perceptron([100, 100, 100])),
                steps: options.pick(quick: 1000, full: 10_000))
            let scales = WorkingRange.halfDecades(from: -2, to: 1).map { scale in
                (Level(scale), "normal=\(scale)")
            }
            let levels = scales + ["xavier", "he"].map { (Level($0), $0) }
            return Grid(trial)
                .overNorms(
                    options.pick(
                        quick: [.none, .batch, .layer],
                        full: [.none, .batch, .layer, .group(10), .rms, .weight])
                )
                .over(
                    "initialization",
                    levels.map { level, name in
                        (
                            level,
                            { trial in
                                trial.network = trial.network.mapLayers {
                                    $0.initialized(by: name)
                                }
                            }
                        )
                    })
        },
        figures: WorkingRange.figures(over: "initialization"),
        claims: [
            WorkingRange.claim(
                "The range of initial deviations that work is at least 10 times wider with batch norm.",
                over: "initialization")
        ])
}
