import Arrays
import Datasets
import Foundation
import Graph
import Layers
import Runtime
import Training

/// Time and memory of a training step, and of inference before and after folding.
final class CostRecorder: ProbeRecorder {
    private static let warmUp = 10
    private var seconds: [Double] = []
    private var start: ContinuousClock.Instant?

    override func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) {
        start = .now
    }

    override func stepDidEnd(_ session: TrainingSession) {
        guard let start else { return }
        seconds.append((ContinuousClock.now - start) / .seconds(1))
    }

    override func finish(_ setting: TrialSetting, _ outcome: inout Outcome) throws {
        let steady = Array(seconds.dropFirst(min(Self.warmUp, seconds.count / 4)))
        outcome.scalars["stepMilliseconds"] = Self.median(steady) * 1000
        let plan = try setting.trainer.compiledStep(
            setting.train, batchSize: setting.trial.run.batchSize
        ).plan
        outcome.scalars["savedMegabytes"] = Double(plan?.savedActivationBytes ?? 0) / 1e6
        outcome.scalars["stepMegabytes"] = Double(plan?.arenaBytes ?? 0) / 1e6
        let model = setting.trainer.model
        let rows = setting.test.subset(0..<min(setting.trial.run.batchSize, setting.test.count))
        outcome.scalars["inferenceMilliseconds"] =
            1000 * Self.inference(model, rows, setting.trainer.workers)
        // Not everything can be folded; where nothing can, there is no number.
        guard (try? model.fold(verifying: rows)) != nil else { return }
        outcome.scalars["foldedMilliseconds"] =
            1000 * Self.inference(model, rows, setting.trainer.workers)
    }

    private static func inference(_ model: Module, _ rows: Dataset, _ workers: Workers) -> Double {
        let predictor = Predictor(model, workers: workers) { model.input($0, of: rows) }
        let clock = ContinuousClock()
        let times = (0..<60).map { _ in
            clock.measure { _ = predictor(rows.features) } / .seconds(1)
        }
        return median(Array(times.dropFirst(warmUp)))
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
