import Arrays
import Foundation

/// Shows how a training goes: a bar that is redrawn on a terminal, plain lines elsewhere.
public final class ProgressPrinter: TrainingCallback {
    private let output: FileHandle
    private let isTerminal: Bool
    private let prefix: String
    private var lastDrawn = ContinuousClock.now
    private var barLength = 0

    /// - Parameters:
    ///   - prefix: begins every line, to tell several trainings apart.
    ///   - isTerminal: nil asks the system.
    public init(
        _ output: FileHandle = .standardOutput, prefix: String = "", isTerminal: Bool? = nil
    ) {
        self.output = output
        self.prefix = prefix
        self.isTerminal = isTerminal ?? (isatty(output.fileDescriptor) == 1)
    }

    override public func trainingWillBegin(_ session: TrainingSession) { lastDrawn = .now }

    override public func stepDidEnd(_ session: TrainingSession) {
        // A glance at the clock each step costs tens of nanoseconds; drawing, more.
        let wait: Duration = isTerminal ? .milliseconds(100) : .seconds(10)
        guard ContinuousClock.now - lastDrawn >= wait else { return }
        lastDrawn = .now
        let text = prefix + Self.status(session)
        if isTerminal { draw(text) } else { write(text + "\n") }
    }

    override public func batchWasSkipped(_ session: TrainingSession, labels: [String]) {
        line(
            "warning: step \(session.progress.step) was skipped, not finite: "
                + labels.joined(separator: ", "))
    }

    override public func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) {
        var parts = [
            "epoch \(report.epoch)/\(Self.epochs(session))",
            "train loss \(Self.decimal(report.trainLoss, 4))",
        ]
        if let validation = report.validation {
            parts.append("test loss \(Self.decimal(validation.loss, 4))")
            for (name, value) in validation.metrics.sorted(by: { $0.key < $1.key }) {
                parts.append("test \(name) \(Self.decimal(value * 100, 2)) %")
            }
        }
        parts.append("\(Self.grouped(report.samplesPerSecond)) samples/s")
        line(prefix + parts.joined(separator: "   "))
    }

    // MARK: - Texts

    private static func epochs(_ session: TrainingSession) -> Int {
        (session.totalSteps - 1) / session.stepsPerEpoch + 1
    }

    static func status(_ session: TrainingSession) -> String {
        let step = (session.progress.step - 1) % session.stepsPerEpoch + 1
        let width = 24
        let filled = step * width / session.stepsPerEpoch
        let bar =
            String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
        let epoch = (session.progress.step - 1) / session.stepsPerEpoch + 1
        let rate =
            session.trainingSeconds > 0
            ? Double(session.trainedSamples) / session.trainingSeconds : 0
        let perStep =
            session.trainedSamples > 0
            ? session.trainingSeconds / Double(session.trainedSamples) : 0
        let remaining = Double(session.totalSteps - session.progress.step)
        let samplesPerStep = Double(session.trainedSamples) / Double(max(session.stepsTaken, 1))
        return "epoch \(epoch)/\(epochs(session)) [\(bar)] \(step)/\(session.stepsPerEpoch)"
            + "   loss \(decimal(session.progress.meanLoss, 4))   \(grouped(rate)) samples/s"
            + "   \(decimal(remaining * samplesPerStep * perStep, 0)) s left"
    }

    static func decimal(_ value: Double, _ digits: Int) -> String {
        value.isFinite ? String(format: "%.\(digits)f", value) : value.plainDescription
    }

    /// A whole number with a comma after every three digits.
    static func grouped(_ value: Double) -> String {
        let digits = Array(String(Int(value.rounded())))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    // MARK: - Output

    private func draw(_ text: String) {
        let padding = String(repeating: " ", count: max(0, barLength - text.count))
        barLength = text.count
        write("\r" + text + padding)
    }

    private func line(_ text: String) {
        if barLength > 0 { write("\r" + String(repeating: " ", count: barLength) + "\r") }
        barLength = 0
        write(text + "\n")
    }

    private func write(_ text: String) { try? output.write(contentsOf: Data(text.utf8)) }
}
