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
            Recalibrate.self, Fold.self, Import.self, LabCommand.self, Report.self,
        ])

    static func main() {
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { exit(withError: error) }
        do {
            try command.run()
        } catch {
            // Help and exit codes are no errors.
            let asked = type(of: command)
            if let error = error as? ValidationError {
                Console.writeError(explanation(of: error, by: asked))
                exit(withError: ExitCode.validationFailure)
            }
            if error is ExitCode || asked.exitCode(for: error) != .failure {
                asked.exit(withError: error)
            }
            // What else goes wrong is one line, for people and for programs.
            let text = "\(error)".split(separator: "\n").joined(separator: " ")
            Console.writeError("error: \(text)")
            exit(withError: ExitCode(1))
        }
    }

    /// What is wrong with the options, and how the command is used: as for options that cannot be parsed.
    private static func explanation(
        of error: ValidationError, by command: any ParsableCommand.Type
    ) -> String {
        let usage = usageString(for: command)
        let name = usage.split(separator: " ").prefix { $0.first!.isLetter }
            .joined(separator: " ")
        return """
            Error: \(error.message)
            Usage: \(usage)
              See '\(name) --help' for more information.
            """
    }
}
