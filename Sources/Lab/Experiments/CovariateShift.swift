import Training

extension Experiment {
    static let covariateShift = Experiment(
        name: "covariate-shift",
        title: "What moves inside, and how smooth the loss is",
        question: """
            How do the inputs of hidden units change over a training, and how does the loss change along the \
            gradient?
            """,
        setUp: """
            Three hidden layers of 100 sigmoid units with small Gaussian initial weights (deviation 0.05), plain \
            gradient descent with a learning rate of 0.1 in batches of 60. The unit is the first of the last \
            hidden layer; what goes into its activation is taken over 500 samples. The shift is how far \
            mean and deviation of all units' inputs move between two looks, in deviations. For the landscape \
            the gradient of 256 samples is followed over distances of 0.05 to 0.4 times itself: the range of the \
            losses there, and how far the gradient there differs from the first, in its lengths. Only what is \
            measured is shown; it does not say which causes which.
            """,
        source: "Ioffe and Szegedy 2015, section 4.1; Santurkar et al. 2018, section 3",
        grid: { options in
            let steps = options.pick(quick: 2000, full: 20_000)
            var trial = Trial(
                options.network(
                    .perceptron([100, 100, 100], activation: .sigmoid, initializer: "normal=0.05")),
                steps: steps)
            trial.probes += [.unit(every: steps / 40), .landscape(every: steps / 20)]
            return Grid(trial).overNorms(
                options.pick(quick: [.none, .batch], full: [.none, .batch, .layer, .group(10)]))
        },
        figures: [
            .percentiles(
                "Input of a hidden unit", (low: "unit15", middle: "unit50", high: "unit85"),
                y: "input", charts: Axis.norm),
            .curves(
                "Shift of the layers' input moments", "momentShift", y: "shift", lines: Axis.norm,
                yScale: .logarithmic),
            .curves(
                "Range of the loss along the gradient", "lossRange", y: "range of the loss",
                lines: Axis.norm, yScale: .logarithmic),
            .curves(
                "Change of the gradient along itself", "gradientChange", y: "relative change",
                lines: Axis.norm, yScale: .logarithmic),
        ],
        claims: [
            .ratio("The moments of hidden inputs shift less with batch norm.", atLeast: 1) {
                mean("meanMomentShift", $0)
            },
            .ratio("The gradient changes less along itself with batch norm.", atLeast: 1) {
                mean("gradientChange", $0)
            },
        ])

    /// A mean without batch norm over the one with it.
    private static func mean(_ name: String, _ seed: Results.Seed) -> Bounded? {
        guard let without = seed.outcome([Axis.norm: "none"])?.scalars[name],
            let with = seed.outcome([Axis.norm: "batch"])?.scalars[name], with > 0, without > 0
        else { return nil }
        return Bounded(without / with)
    }
}
