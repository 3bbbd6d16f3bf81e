import Training

extension Experiment {
    static let learningRate = Experiment(
        name: "learning-rate",
        title: "Learning rates that work",
        question: "Over which learning rates does a network train, and where does it diverge?",
        setUp: """
            Three hidden layers of 100 ReLU units, He initialization, plain gradient descent in batches of \
            60. A learning rate works when the final test accuracy is at least 90 % of the best that any \
            configuration of the seed reaches.
            """,
        source: "Ioffe and Szegedy 2015, section 3.3",
        grid: { options in
            let trial = Trial(
                options.network(.perceptron([100, 100, 100])),
                steps: options.pick(quick: 1000, full: 10_000))
            return Grid(trial)
                .overNorms(
                    options.pick(
                        quick: [.none, .batch, .layer],
                        full: [.none, .batch, .layer, .group(10), .rms, .weight])
                )
                .over("learning rate", numbers: WorkingRange.halfDecades(from: -4, to: 1)) {
                    $0.run.learningRate = $1
                }
        },
        figures: WorkingRange.figures(over: "learning rate"),
        claims: [
            WorkingRange.claim(
                "The range of learning rates that work is at least 10 times wider with batch norm.",
                over: "learning rate")
        ])
}
