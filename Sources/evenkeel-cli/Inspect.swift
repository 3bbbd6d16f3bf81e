import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel inspect`
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a run's layers, parameters and statistics, and what looks wrong.")

    @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
    var path: String

    func run() throws {
        let trained = try TrainedModel(RunFolder(path))
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
        for warning in ModelWarnings.find(trained.model) { print("warning: \(warning)") }
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
