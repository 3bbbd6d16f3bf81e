import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Training

/// How far inference is from training: the loss of the test data with running statistics, less the loss of
/// the same samples in batches, normalized by their own statistics.
final class ModeRecorder: ProbeRecorder {
    private let every: Int
    private let population: Bool
    private let setting: TrialSetting
    private let step: Step
    private var gap = Outcome.Series()

    init(_ setting: TrialSetting, every: Int, population: Bool) {
        (self.every, self.population, self.setting) = (every, population, setting)
        let (model, loss, data) = (setting.trainer.model, setting.trainer.loss, setting.test)
        step = Step(workers: setting.trainer.workers) { inputs in
            Trace.discardingProposals {
                let rows = inputs[0].gather(inputs[2])
                let output = model(model.input(rows, of: data), Context(.training))
                return [loss.samplewise(output, inputs[1].gather(inputs[2])).mean()]
            }
        }
        super.init()
    }

    override func stepDidEnd(_ session: TrainingSession) throws {
        let step = session.progress.step
        guard step % every == 0 || step == session.totalSteps else { return }
        let states = setting.trainer.model.states
        let values = states.map(\.value)
        if population {
            let count = min(setting.train.count, 4000)
            try setting.trainer.model.recalibrate(
                on: setting.train.subset(0..<count), workers: setting.trainer.workers)
        }
        let inference = try setting.trainer.evaluate(setting.test).loss
        for (state, value) in zip(states, values) { state.value = value }
        gap.append(Double(step), abs(inference - trainingLoss()))
    }

    private func trainingLoss() -> Double {
        let (size, data) = (setting.trial.run.batchSize, setting.test)
        guard let labels = data.labels, data.count >= size else { return .nan }
        let starts = stride(from: 0, through: data.count - size, by: size)
        let losses = starts.map { start -> Double in
            let indices = NDArray((start..<(start + size)).map { Int32($0) })
            return step.run([data.features, labels, indices]).outputs[0].item()
        }
        return losses.reduce(0, +) / Double(losses.count)
    }

    override func finish(_ setting: TrialSetting, _ outcome: inout Outcome) {
        outcome.series["modeGap"] = gap
        let late = gap.y.suffix(max(gap.y.count / 2, 1))
        if !late.isEmpty { outcome.scalars["lateModeGap"] = late.reduce(0, +) / Double(late.count) }
    }
}
