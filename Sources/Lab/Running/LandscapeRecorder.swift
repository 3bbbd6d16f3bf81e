import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Training

/// How smooth the loss is along the gradient (Santurkar et al. 2018, section 3.2): from where the training
/// is, some distances are gone down the gradient of one batch; the losses found there range over
/// `lossRange`, and the gradient there differs from the one at the start by at most `gradientChange` times
/// its length.
final class LandscapeRecorder: ProbeRecorder {
    /// Distances, as learning rates.
    private static let distances = [0.05, 0.1, 0.2, 0.4]

    private let every: Int
    private let model: Module
    private let data: Dataset
    private let step: Step
    private var lossRange = Outcome.Series()
    private var gradientChange = Outcome.Series()

    init(_ setting: TrialSetting, every: Int) {
        self.every = every
        let (model, loss) = (setting.trainer.model, setting.trainer.loss)
        let data = setting.train.subset(0..<min(256, setting.train.count))
        (self.model, self.data) = (model, data)
        step = Step(workers: setting.trainer.workers) { inputs in
            Trace.discardingProposals {
                let output = model(model.input(inputs[0], of: data), Context(.training))
                let mean = loss.samplewise(output, inputs[1]).mean()
                return [mean] + mean.gradients(model.parameters.map(\.tensor))
            }
        }
        super.init()
    }

    override func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) {
        guard session.progress.step % every == 0 else { return }
        let start = look()
        let variables = model.parameters.map(\.variable)
        let values = variables.map(\.value)
        defer { for (variable, value) in zip(variables, values) { variable.value = value } }
        var losses = [start.loss]
        var change = 0.0
        for distance in Self.distances {
            for (index, variable) in variables.enumerated() {
                variable.value = values[index].moved(by: -distance, along: start.gradients[index])
            }
            let there = look()
            losses.append(there.loss)
            change = max(change, Self.relativeChange(start.gradients, there.gradients))
        }
        let position = Double(session.progress.step)
        if let low = losses.min(), let high = losses.max() {
            lossRange.append(position, high - low)
        }
        gradientChange.append(position, change)
    }

    private func look() -> (loss: Double, gradients: [[Float]]) {
        let outputs = step.run([data.features, data.labels ?? NDArray(zeros: [0], .int32)]).outputs
        return (outputs[0].item(), outputs.dropFirst().map { $0.elements() })
    }

    private static func relativeChange(_ old: [[Float]], _ new: [[Float]]) -> Double {
        var (difference, size) = (0.0, 0.0)
        for (a, b) in zip(old, new) {
            for (x, y) in zip(a, b) {
                difference += Double(x - y) * Double(x - y)
                size += Double(x) * Double(x)
            }
        }
        return size > 0 ? (difference / size).squareRoot() : 0
    }

    override func finish(_ setting: TrialSetting, _ outcome: inout Outcome) {
        outcome.series["lossRange"] = lossRange
        outcome.series["gradientChange"] = gradientChange
        for (name, series) in [("lossRange", lossRange), ("gradientChange", gradientChange)]
        where !series.y.isEmpty {
            outcome.scalars[name] = series.y.reduce(0, +) / Double(series.y.count)
        }
    }
}

extension NDArray {
    /// This and a multiple of another, element by element.
    fileprivate func moved(by factor: Double, along direction: [Float]) -> NDArray {
        let values: [Float] = elements()
        let sum = zip(values, direction).map { $0 + Float(factor) * $1 }
        return NDArray(sum, shape: shape).converted(to: elementType)
    }
}
