import Foundation
import Training

extension Experiment {
    static let gradientFlow = Experiment(
        name: "gradient-flow",
        title: "Gradients through twenty layers",
        question: "What is left of the gradient at the first layer of a deep network?",
        setUp: """
            Twenty hidden layers of 64 units with sigmoid, tanh or ReLU, Xavier initialization (He for ReLU), \
            plain gradient descent with a learning rate of 0.01 in batches of 60. Shown are the Euclidean norm \
            of each weight's gradient and the deviation of each dense layer's outputs, before the first step \
            and while training.
            """,
        source: "Glorot and Bengio 2010; Ioffe and Szegedy 2015, section 1",
        withModel:
            "It takes the place of the three networks, with its own activations; dense layers are shown.",
        grid: { options in
            let steps = options.pick(quick: 300, full: 3000)
            let trial = Trial(
                options.network(.perceptron(Array(repeating: 64, count: 20))), steps: steps + 1,
                learningRate: 0.01)
            var levels: [(Level, Grid.Change)] = [
                ("sigmoid", "xavier", LayerKind.sigmoid), ("tanh", "xavier", .tanh),
                ("relu", "he", .relu),
            ].map { name, initializer, kind in
                (
                    Level(name),
                    {
                        $0.network = .perceptron(
                            Array(repeating: 64, count: 20), activation: kind,
                            initializer: initializer)
                    }
                )
            }
            if let name = options.modelName { levels = [(Level(name), { _ in })] }
            return Grid(trial).over("activation", levels).overNorms([.none, .batch]).recording(
                .layers(atSteps: [0, steps / 3, steps]))
        },
        figures: [
            .flow("Gradient norms before the first step", "gradientNorm@", y: "gradient norm") {
                $0.min()
            },
            .flow("Gradient norms after training", "gradientNorm@", y: "gradient norm") {
                $0.max()
            },
            .flow("Outputs before the first step", "deviation@", y: "deviation of the outputs") {
                $0.min()
            },
            .flow("Outputs after training", "deviation@", y: "deviation of the outputs") {
                $0.max()
            },
            .bars(
                "Test accuracy", "testAccuracy", y: "test accuracy", over: "activation",
                groups: Axis.norm),
        ],
        claims: [
            .ratio(
                "Of the first network, the ratio of the last to the first layer's gradient norm is more "
                    + "than 100 times closer to 1 with batch norm, before the first step.",
                atLeast: 100
            ) { seed in
                guard let activation = seed.results.levels("activation").first else { return nil }
                func distance(_ norm: String) -> Double? {
                    let outcome = seed.outcome(["activation": activation.label, Axis.norm: norm])
                    guard let norms = outcome?.series["gradientNorm@0"]?.y, let first = norms.first,
                        let last = norms.last, first > 0, last > 0
                    else { return nil }
                    return max(last / first, first / last)
                }
                guard let without = distance("none"), let with = distance("batch") else {
                    return nil
                }
                return Bounded(without / with)
            }
        ])
}

extension Figure {
    /// A number of every layer at a step, a chart for each activation.
    fileprivate static func flow(
        _ title: String, _ prefix: String, y: String,
        at choose: @escaping @Sendable ([Int]) -> Int?
    ) -> Figure {
        Figure { results in
            let steps = results.entries.flatMap { $0.outcomes.values }.flatMap(\.series.keys)
                .filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count)) }
            guard let step = choose(steps) else { return [] }
            return Figure.curvesPerLevel(
                "activation", "\(title) (step \(step))", "\(prefix)\(step)", y: y, x: "layer",
                lines: Axis.norm, yScale: .logarithmic
            ).draw(results)
        }
    }
}
