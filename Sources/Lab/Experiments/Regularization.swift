import Training

extension Experiment {
    static let regularization = Experiment(
        name: "regularization",
        title: "Batch norm among regularizers",
        question: "How large is the gap between training and test accuracy?",
        setUp: """
            Two hidden layers of 256 ReLU units trained on 2,000 samples only, with Adam at a learning rate of \
            0.001 in batches of 50, so that they can be learned by heart. Dropout is 0.5 behind each hidden \
            layer, L2 0.001, L1 0.0001.
            """,
        source: "Ioffe and Szegedy 2015, section 3.4; Srivastava et al. 2014",
        withModel:
            "It takes the place of the network; dropout goes behind each of its activations.",
        grid: { options in
            var trial = Trial(
                options.network(.perceptron([256, 256])),
                steps: options.pick(quick: 1200, full: 8000),
                batchSize: 50, learningRate: 1e-3)
            trial.run.optimizer = .adam
            trial.trainSamples = 2000
            let batch: Grid.Change = { $0.run.norm = .batch }
            let dropout: Grid.Change = {
                $0.network = $0.network.mapLayers { $0.withDropout(0.5) }
            }
            let l1: Grid.Change = { $0.run.l1 = 1e-4 }
            let l2: Grid.Change = { $0.run.l2 = 1e-3 }
            let combinations: [(String, [Grid.Change])] = [
                ("none", []), ("batch norm", [batch]), ("dropout", [dropout]), ("L1", [l1]),
                ("L2", [l2]), ("batch norm + dropout", [batch, dropout]),
                ("batch norm + L2", [batch, l2]), ("dropout + L2", [dropout, l2]),
            ]
            return Grid(trial).over(
                "regularizer",
                combinations.map { name, changes in
                    (Level(name), { trial in for change in changes { change(&trial) } })
                })
        },
        figures: [
            .bars(
                "Training accuracy less test accuracy", "gap", y: "gap", over: "regularizer"),
            .bars("Test accuracy", "testAccuracy", y: "test accuracy", over: "regularizer"),
            .bars(
                "Training accuracy", "trainAccuracy", y: "training accuracy", over: "regularizer"),
        ],
        claims: [
            .difference(
                "Batch norm alone narrows the gap.", unit: "percentage points"
            ) { gap("none", "batch norm", $0) },
            .difference(
                "Dropout narrows it more than batch norm does.", unit: "percentage points"
            ) { gap("batch norm", "dropout", $0) },
        ])

    /// How much smaller the gap of the second is, in percentage points.
    private static func gap(_ first: String, _ second: String, _ seed: Results.Seed) -> Double? {
        guard let a = seed.outcome(["regularizer": first])?.scalars["gap"],
            let b = seed.outcome(["regularizer": second])?.scalars["gap"]
        else { return nil }
        return (a - b) * 100
    }
}

extension ModelDescription {
    /// With dropout behind every activation.
    func withDropout(_ rate: Double) -> ModelDescription {
        ModelDescription(
            layers.flatMap { layer -> [Layer] in
                layer.kind.isActivation
                    ? [layer, Layer(.dropout, ["rate": .number(rate)])] : [layer]
            })
    }
}
