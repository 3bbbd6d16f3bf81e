import Training

extension Experiment {
    static let position = Experiment(
        name: "position",
        title: "Before or behind the activation",
        question: "Where does batch norm belong, in plain and in residual networks?",
        setUp: """
            Plain: three hidden layers of 100 units with ReLU or sigmoid, and batch norm before the activation, \
            behind it, or not at all. Residual: six blocks of two dense layers of 64 units with ReLU, normalized \
            behind each dense layer (post-activation) or in front (pre-activation), or not at all. Plain gradient \
            descent with a learning rate of 0.1 in batches of 60.
            """,
        source: "Ioffe and Szegedy 2015, section 3.2; He et al. 2016",
        withModel: """
            It takes the place of the plain networks, each batchNorm beside an activation standing before it or \
            behind it; the residual networks are left out.
            """,
        grid: { options in
            let plain = Trial(
                .perceptron([100, 100, 100]), steps: options.pick(quick: 1500, full: 15_000))
            func grid(_ name: String, _ positions: [(String, NormKind, Network)]) -> Grid {
                Grid(plain).over(Axis.network, [(Level(name), { _ in })]).over(
                    "position",
                    positions.map { position, norm, network in
                        (
                            Level(position),
                            { trial in
                                (trial.network, trial.run.norm) = (network, norm)
                            }
                        )
                    })
            }
            func perceptron(_ name: String, _ kind: LayerKind, _ initializer: String) -> Grid {
                func placed(last: Bool) -> Network {
                    .perceptron(
                        [100, 100, 100], activation: kind, initializer: initializer,
                        normIsLast: last)
                }
                return grid(
                    name,
                    [
                        ("none", .none, placed(last: false)),
                        ("before", .batch, placed(last: false)),
                        ("behind", .batch, placed(last: true)),
                    ])
            }
            func residual(_ order: ResidualDescription.Order) -> Network {
                .residual(ResidualDescription(blocks: 6, width: 64, order: order))
            }
            let blocks = grid(
                "residual",
                [
                    ("none", .none, residual(.postActivation)),
                    ("post-activation", .batch, residual(.postActivation)),
                    ("pre-activation", .batch, residual(.preActivation)),
                ])
            if let model = options.model {
                return grid(
                    options.modelName ?? "model",
                    [
                        ("none", .none, .layers(model)),
                        ("before", .batch, .layers(model.withNorms(behindActivations: false))),
                        ("behind", .batch, .layers(model.withNorms(behindActivations: true))),
                    ]
                ).recording(.accuracy(every: 50))
            }
            return
                (perceptron("relu", .relu, "he") + perceptron("sigmoid", .sigmoid, "xavier")
                + blocks).recording(.accuracy(every: 50))
        },
        figures: [
            .curvesPerLevel(
                Axis.network, "Test accuracy", "testAccuracy", y: "test accuracy",
                lines: "position"),
            .bars(
                "Final test accuracy", "testAccuracy", y: "test accuracy", over: "position",
                groups: Axis.network),
        ],
        claims: [
            .difference(
                "In the first network, batch norm before the activation is more accurate than behind it.",
                unit: "percentage points"
            ) { seed in
                seed.results.levels(Axis.network).first.flatMap {
                    accuracy($0.label, "before", seed, less: "behind")
                }
            },
            .difference(
                "In residual blocks, pre-activation is more accurate than post-activation.",
                unit: "percentage points"
            ) { accuracy("residual", "pre-activation", $0, less: "post-activation") }
            .when { $0.levels(Axis.network).contains { $0.label == "residual" } },
        ])

    private static func accuracy(
        _ network: String, _ first: String, _ seed: Results.Seed, less second: String
    ) -> Double? {
        func value(_ position: String) -> Double? {
            seed.outcome([Axis.network: network, "position": position])?.scalars["testAccuracy"]
        }
        guard let a = value(first), let b = value(second) else { return nil }
        return (a - b) * 100
    }
}
