import ArgumentParser
import EvenKeel
import Foundation

@main
struct EvenKeelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evenkeel",
        abstract: "Trains, runs and examines neural networks whose heart is normalization.",
        discussion: """
            Start with `evenkeel demo`: it trains one network with and one without batch norm, side \
            by side. `evenkeel train --help` explains every option of a training; a stack of layers \
            of your own goes into a YAML file for `--model`.

            Exit codes: 0 done, 64 wrong usage, 130 interrupted, 1 anything else, with one line that \
            begins with `error:`.
            """,
        subcommands: [
            Train.self, Evaluate.self, Predict.self, Inspect.self, PlanCommand.self,
            Benchmark.self, Demo.self, WorkedExample.self, LayerCommand.self,
            Recalibrate.self, Fold.self,
        ])

    static func main() {
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { exit(withError: error) }
        do {
            try command.run()
        } catch {
            // Wrong usage is explained by the command that was asked; help and exit codes are no errors.
            let root = type(of: command)
            if error is ExitCode || root.exitCode(for: error) != .failure {
                root.exit(withError: error)
            }
            // What else goes wrong is one line, for people and for programs.
            let text = "\(error)".split(separator: "\n").joined(separator: " ")
            Console.writeError("error: \(text)")
            exit(withError: ExitCode(1))
        }
    }
}
