import Arrays
import Graph
import Layers

/// Stops a training when a figure of the validation has not got better for some epochs.
public final class EarlyStopping: TrainingCallback {
    /// What is watched.
    public enum Monitor: Hashable, Sendable {
        /// The validation's loss; lower is better.
        case loss
        /// A metric of the validation, by name; higher is better.
        case metric(String)
    }

    public let monitor: Monitor
    public let patience: Int
    public let minimumImprovement: Double
    public let restoresBest: Bool
    public private(set) var best: (epoch: Int, value: Double)?
    private var bestValues: [NDArray] = []

    /// - Parameters:
    ///   - patience: how many epochs in a row may pass without an improvement.
    ///   - minimumImprovement: smaller ones do not count.
    ///   - restoresBest: whether the model gets back the values of its best epoch at the end.
    public init(
        monitor: Monitor = .loss, patience: Int = 3, minimumImprovement: Double = 0,
        restoresBest: Bool = false
    ) {
        precondition(patience > 0, "early stopping: patience must be positive, found \(patience)")
        self.monitor = monitor
        self.patience = patience
        self.minimumImprovement = minimumImprovement
        self.restoresBest = restoresBest
    }

    override public func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) throws {
        let model = session.trainer.model
        guard let value = figure(report) else {
            throw TrainingError.invalid(
                "early stopping watches \(monitor), which no validation of this training gives")
        }
        if best.map({ value > $0.value + minimumImprovement }) ?? true {
            best = (report.epoch, value)
            if restoresBest {
                bestValues = session.averagedValues ?? model.allVariables.map(\.value)
            }
        } else if report.epoch - best!.epoch >= patience {
            session.stop(
                .earlyStopping("no improvement in \(patience) epochs since epoch \(best!.epoch)"))
        }
    }

    override public func trainingDidEnd(_ session: TrainingSession, _ history: TrainingHistory) {
        guard restoresBest, !bestValues.isEmpty else { return }
        if session.averagedValues != nil { session.averagedValues = bestValues }
        for (variable, value) in zip(session.trainer.model.allVariables, bestValues) {
            variable.value = value
        }
    }

    /// Higher is better.
    private func figure(_ report: EpochReport) -> Double? {
        switch monitor {
        case .loss: report.validation.map { -$0.loss }
        case .metric(let name): report.validation?.metrics[name]
        }
    }
}
