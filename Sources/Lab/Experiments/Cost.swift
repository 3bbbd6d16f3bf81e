import Training

extension Experiment {
    package static let cost = Experiment(
        name: "cost",
        title: "What a normalizer costs",
        question:
            "How much time and memory does a step take, and inference, before and after folding?",
        setUp: """
            A perceptron with hidden layers of 256 and 256 units and a small convolutional network, with \
            ReLU, in batches of 128. Times are medians, taken one configuration after the other on all \
            threads; memory is what the step saves for its backward pass, and all that it works in. \
            Folding takes batch norm into the dense layer in front of it.
            """,
        source:
            "this library: statistics are taken while data is in cache, and fold away for inference",
        takesTurns: true,
        withModel: "It takes the place of the perceptron; the convolutional network is left out.",
        grid: { options in
            let trial = Trial(
                options.network(.perceptron([256, 256])),
                steps: options.pick(quick: 120, full: 1000), batchSize: 128)
            var networks: [(Level, Grid.Change)] = [
                (Level(options.modelName ?? "perceptron"), { _ in })
            ]
            if options.model == nil {
                networks.append(
                    (
                        Level("cnn"),
                        {
                            $0.network = .cnn(widths: [8, 16], hidden: 64)
                            $0.run.length = .steps(options.pick(quick: 60, full: 500))
                        }
                    ))
            }
            return Grid(trial).over(Axis.network, networks).overNorms([
                .none, .batch, .batchRenorm, .ghost(32), .layer, .group(8), .rms, .weight,
            ]).recording(.cost)
        },
        figures: [
            .bars(
                "Time of a training step", "stepMilliseconds", y: "milliseconds",
                over: Axis.norm, groups: Axis.network, yScale: .logarithmic),
            .bars(
                "Saved for the backward pass", "savedMegabytes", y: "megabytes",
                over: Axis.norm, groups: Axis.network, yScale: .logarithmic),
            .bars(
                "All memory of a step", "stepMegabytes", y: "megabytes",
                over: Axis.norm, groups: Axis.network, yScale: .logarithmic),
            .inferenceBeforeAndAfterFolding,
        ],
        claims: [
            .ratio(
                "A training step of the first network takes at most 1.3 times as long with batch norm.",
                atMost: 1.3
            ) { seed in
                guard let network = seed.results.levels(Axis.network).first?.label else {
                    return nil
                }
                func time(_ norm: String) -> Double? {
                    seed.outcome([Axis.network: network, Axis.norm: norm])?
                        .scalars["stepMilliseconds"]
                }
                guard let with = time("batch"), let without = time("none") else { return nil }
                return Bounded(with / without)
            },
            .ratio("Folding makes inference faster.", atLeast: 1) { seed in
                guard let network = seed.results.levels(Axis.network).first?.label,
                    let scalars = seed.outcome([Axis.network: network, Axis.norm: "batch"])?
                        .scalars,
                    let before = scalars["inferenceMilliseconds"],
                    let after = scalars["foldedMilliseconds"], after > 0
                else { return nil }
                return Bounded(before / after)
            },
        ])
}

extension Figure {
    fileprivate static let inferenceBeforeAndAfterFolding = Figure { results in
        let entries = results.at([Axis.norm: "batch"]).entries.filter {
            $0.summary("foldedMilliseconds") != nil
        }
        guard !entries.isEmpty else { return [] }
        let names = [
            ("before folding", "inferenceMilliseconds"), ("folded", "foldedMilliseconds"),
        ]
        let series = names.map { name, scalar in
            Chart.Bars.Series(
                name: name,
                values: entries.map { entry in
                    entry.summary(scalar).map { Chart.Bars.Bar(value: $0.mean, range: $0.range) }
                })
        }
        return [
            Chart(
                "Inference with batch norm",
                summary: "Milliseconds for a batch, before and after folding.",
                .bars(
                    Chart.Bars(
                        entries.map { $0.level(Axis.network).label }, y: "milliseconds", series)))
        ]
    }
}
