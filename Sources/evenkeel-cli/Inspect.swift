import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel inspect`
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a run's layers, parameters and statistics, and what looks wrong.",
        discussion: """
            Warns of statistics that were never updated or that come from few samples, of a loss that \
            differs with running statistics from that with the batch's own (measured on one batch), of \
            biases that a batch norm takes away, of gammas near zero, dead channels, decayed gammas and \
            betas, and of running averages that follow too fast or too slowly.
            """)

    @OptionGroup var argument: RunArgument

    func run() throws {
        let trained = try argument.load()
        print("\(trained.model.parameterCount) parameters")
        for (name, module) in trained.model.namedModules where !name.isEmpty {
            print("\(name) \(type(of: module))")
            for (last, member) in module.members() {
                switch member {
                case .parameter(let cell): print("  \(last)  \(Self.summary(cell.value))")
                case .state(let cell): print("  \(last)  \(Self.summary(cell.value))")
                case .module: continue
                }
            }
        }
        let configuration = trained.configuration
        let trainer = Trainer(
            trained.model, loss: .crossEntropy, optimizer: configuration.makeOptimizer())
        let warnings = TrainingDoctor.findings(
            trainer, trained.train, samplesPerStep: configuration.samplesPerStep)
        for warning in warnings { print("warning: \(warning)") }
    }

    /// Shape, and mean, deviation and range of the values.
    private static func summary(_ array: NDArray) -> String {
        let values: [Double] = array.elements()
        guard values.count > 1 else { return "\(values.first ?? 0)" }
        let moments = ChannelMoments(rows: values.map { [$0] }, channels: 1)
        let deviation = moments.variance()[0].squareRoot()
        return "\(array.elementType)\(array.shape)  mean \(decimal(moments.mean[0], 4))  "
            + "deviation \(decimal(deviation, 4))  from \(decimal(values.min()!, 4)) to "
            + "\(decimal(values.max()!, 4))"
    }
}
