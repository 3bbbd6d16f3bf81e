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

            Exit codes: 0 done, 64 wrong usage, 130 interrupted, 1 anything else. What went wrong is one \
            line that begins with `error:`.
            """,
        version: evenKeelVersion,
        subcommands: [
            Train.self, Evaluate.self, Predict.self, Inspect.self, PlanCommand.self,
            Benchmark.self, Demo.self, WorkedExample.self, LayerCommand.self,
            Recalibrate.self, Fold.self, Import.self, Export.self, LabCommand.self, Report.self,
            DashboardCommand.self,
        ])

    static func main() {
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { stop(self, error) }
        do { try command.run() } catch { stop(type(of: command), error) }
    }

    /// Ends with what went wrong on one line, for people and for programs; help and exit codes are no
    /// errors.
    private static func stop(_ command: any ParsableCommand.Type, _ error: any Error) -> Never {
        let code = command.exitCode(for: error)
        if error is ExitCode || code == .success { command.exit(withError: error) }
        var text = "\(error)"
        if code == .validationFailure {
            text = command.message(for: error)
            if let match = command.fullMessage(for: error).firstMatch(of: /'evenkeel.* --help'/) {
                text += "; see \(match.0)"
            } else {
                let name = usageString(for: command).split(separator: " ")
                    .prefix { $0.first!.isLetter }.joined(separator: " ")
                text += "; see '\(name) --help'"
            }
        }
        let line = text.split(separator: "\n").joined(separator: " ")
        Console.writeError("error: " + onOneLine(line, limit: .max))
        Self.exit(withError: ExitCode(code == .validationFailure ? code.rawValue : 1))
    }
}
