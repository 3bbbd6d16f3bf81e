import Datasets
import Training

/// The accuracy on test data over the steps.
final class AccuracyRecorder: ProbeRecorder {
    private let every: Int
    private let data: Dataset
    private var accuracies = Outcome.Series()
    private var seconds = Outcome.Series()

    init(every: Int, _ data: Dataset) {
        (self.every, self.data) = (every, data)
        super.init()
    }

    override func stepDidEnd(_ session: TrainingSession) throws {
        let step = session.progress.step
        guard step % every == 0 || step == session.totalSteps else { return }
        let accuracy = try session.trainer.evaluate(data).metrics["accuracy"] ?? .nan
        accuracies.append(Double(step), accuracy)
        seconds.append(Double(step), session.trainingSeconds)
    }

    override func finish(_ setting: TrialSetting, _ outcome: inout Outcome) {
        outcome.series["testAccuracy"] = accuracies
        outcome.series["trainingSeconds"] = seconds
    }
}
