import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel demo`
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train one network with and without batch norm, side by side.",
        discussion: """
            784 -> Dense 128 -> BatchNorm -> ReLU -> Dense 10 -> BatchNorm -> softmax on \
            Fashion-MNIST, and the same without the two norms, with the same seed and learning rate.
            """)

    @Option(
        help: "fashion-mnist, or a folder of IDX files, CIFAR binaries or class folders.")
    var data = "fashion-mnist"

    @Option(help: "How often to go through the training data.")
    var epochs = 3

    @Option(help: "Worker threads; results do not depend on it.")
    var threads: Int?

    @Option(help: "Determines initial weights and the order of samples.")
    var seed: UInt64 = 0

    @Option(help: "The accuracy to be reached, in percent.")
    var goal = 85.0

    @Option(help: "The folder for the run folders.")
    var output = "runs/demo"

    func run() throws {
        guard (1...1000).contains(epochs) else {
            throw ValidationError("--epochs: expected 1 to 1000, found \(epochs)")
        }
        let console = Console(isJSON: false)
        let workers = try makeWorkers(threads)
        Interruption.install()
        let test = try TrainingRun.load(data).test
        var rows:
            [(name: String, folder: String, result: TrainingRun.Result, watcher: GoalWatcher)] =
                []
        for (name, norm) in [("batch norm", NormKind.batch), ("no norm", .none)] {
            var configuration = RunConfiguration()
            configuration.data = data
            configuration.norm = norm
            configuration.length = .epochs(epochs)
            configuration.seed = seed
            let folder = RunFolder("\(output)/\(norm.rawValue)")
            let watcher = GoalWatcher(try configuration.prepare(test), goal: goal / 100)
            let run = TrainingRun(
                configuration: configuration, folder: folder, workers: workers, console: console,
                prefix: name.padding(toLength: 12, withPad: " ", startingAt: 0))
            guard let result = try run.execute(resumes: false, callbacks: [watcher]) else {
                throw ExitCode(130)
            }
            rows.append((name, folder.path, result, watcher))
        }
        console.say("")
        var header = ["network", "seconds", "steps to \(decimal(goal, 0)) %"]
        header += (1...epochs).map { "epoch \($0)" } + ["run folder"]
        let lines = rows.map { row in
            [
                row.name, decimal(row.result.seconds, 1),
                row.watcher.step.map(String.init) ?? "not reached",
            ]
                + row.result.history.epochs.map {
                    decimal(($0.validation?.metrics["accuracy"] ?? .nan) * 100, 2) + " %"
                } + [row.folder]
        }
        for line in Self.table([header] + lines) { console.say(line) }
    }

    /// Lines with aligned columns.
    static func table(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { text, width in
                text.padding(toLength: width, withPad: " ", startingAt: 0)
            }.joined(separator: "   ").trimmingCharacters(in: .whitespaces)
        }
    }
}

/// Looks at the test accuracy every so often until it reaches a goal.
private final class GoalWatcher: TrainingCallback {
    private let data: Dataset
    private let goal: Double
    private let every = 25
    /// The first step at which the goal was reached.
    private(set) var step: Int?

    init(_ data: Dataset, goal: Double) {
        self.data = data
        self.goal = goal
        super.init()
    }

    override func stepDidEnd(_ session: TrainingSession) throws {
        guard step == nil, session.progress.step % every == 0 else { return }
        let accuracy = try session.trainer.evaluate(data).metrics["accuracy"] ?? 0
        if accuracy >= goal { step = session.progress.step }
    }
}
