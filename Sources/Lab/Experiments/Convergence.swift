import Training

extension Experiment {
    package static let convergence = Experiment(
        name: "convergence",
        title: "Convergence with and without normalization",
        question: "How many steps, and seconds, does a network need to an accuracy?",
        setUp: """
            A perceptron of three hidden layers of 100 sigmoid units with small Gaussian initial weights \
            (deviation 0.05) in batches of 60, as in the MNIST experiment of Ioffe and Szegedy, and a small \
            convolutional network with ReLU. Plain gradient descent with a constant learning rate of 0.1, \
            the same with and without batch norm. Test accuracy is taken every 25 steps.
            """,
        source: "Ioffe and Szegedy 2015, section 4.1",
        withModel: "It takes the place of the sigmoid network; the convolutional one is left out.",
        grid: { options in
            let sigmoid = Trial(
                options.network(
                    .perceptron([100, 100, 100], activation: .sigmoid, initializer: "normal=0.05")),
                steps: options.pick(quick: 6000, full: 50_000))
            let cnn = Trial(
                .cnn(widths: [8, 16], hidden: 64), steps: options.pick(quick: 400, full: 4000))
            var networks: [(Level, Grid.Change)] = [
                (Level(options.modelName ?? "sigmoid"), { _ in })
            ]
            if options.model == nil { networks.append((Level("cnn"), { $0 = cnn })) }
            return Grid(sigmoid).over(Axis.network, networks).overNorms([.none, .batch]).recording(
                .accuracy(every: 25))
        },
        figures: [
            .curvesPerLevel(
                Axis.network, "Test accuracy", "testAccuracy", y: "test accuracy",
                lines: Axis.norm),
            Figure { results in
                // Steps to several accuracies, for each network and normalizer.
                let goals = [0.7, 0.75, 0.8, 0.85]
                return results.levels(Axis.network).compactMap { network -> Chart? in
                    let entries = results.at([Axis.network: network.label]).entries
                    let series = entries.map { entry in
                        Chart.Bars.Series(
                            name: entry.level(Axis.norm).label,
                            values: goals.map { goal in
                                let steps = entry.outcomes.values.map {
                                    $0.first("testAccuracy", reaching: goal)
                                }
                                let reached = steps.compactMap { $0 }
                                guard reached.count == steps.count, let low = reached.min(),
                                    let high = reached.max()
                                else { return nil }
                                return Chart.Bars.Bar(
                                    value: reached.reduce(0, +) / Double(reached.count),
                                    range: low...high)
                            })
                    }
                    guard entries.contains(where: { !$0.outcomes.isEmpty }) else { return nil }
                    return Chart(
                        "Steps to an accuracy: \(network.label)",
                        summary: "Where there is a dash, not every seed reached it.",
                        .bars(
                            Chart.Bars(
                                goals.map { "\(NumberText.short($0 * 100)) %" }, y: "steps", series)
                        ))
                }
            },
            .bars(
                "Seconds of training", "seconds", y: "seconds, on one thread", over: Axis.network,
                groups: Axis.norm),
        ],
        claims: [
            .ratio(
                "To 80 % the first network needs at least 2 times fewer steps with batch norm.",
                atLeast: 2
            ) { seed in
                guard let network = seed.results.levels(Axis.network).first else { return nil }
                let with = seed.outcome([Axis.network: network.label, Axis.norm: "batch"])
                let without = seed.outcome([Axis.network: network.label, Axis.norm: "none"])
                let goal = 0.8
                let last = without?.series["testAccuracy"]?.x.last
                switch (
                    with?.first("testAccuracy", reaching: goal),
                    without?.first("testAccuracy", reaching: goal)
                ) {
                case (let fast?, let slow?): return Bounded(slow / fast)
                case (let fast?, nil): return last.map { Bounded($0 / fast, .atLeast) }
                case (nil, let slow?):
                    let end = with?.series["testAccuracy"]?.x.last
                    return end.map { Bounded(slow / $0, .atMost) }
                case (nil, nil): return nil
                }
            }
        ])
}
