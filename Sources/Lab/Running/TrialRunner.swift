import Arrays
import Datasets
import Foundation
import Layers
import Runtime
import Training

/// Trains one trial with one seed, and records what its probes ask for.
package struct TrialRunner {
    let trial: Trial
    let seed: Int
    let train: Dataset
    let test: Dataset
    let workers: Workers
    /// The file of `ProgressLine`s; nil for none.
    let progressPath: String?
    /// Told of every step: how many of how many are done. False stops.
    let goesOn: (_ done: Int, _ total: Int) -> Bool

    package init(
        trial: Trial, seed: Int, train: Dataset, test: Dataset, workers: Workers,
        progressPath: String? = nil, goesOn: @escaping (_ done: Int, _ total: Int) -> Bool
    ) {
        (self.trial, self.seed, self.train, self.test) = (trial, seed, train, test)
        (self.workers, self.progressPath, self.goesOn) = (workers, progressPath, goesOn)
    }

    /// Nil when it was stopped.
    package func run() throws -> Outcome? {
        let setting = try makeSetting()
        let recorders = trial.probes.compactMap { $0.recorder(setting) }
        let stopper = Stopper(goesOn)
        let progress = progressPath.map { [ProgressRecorder($0)] } ?? []
        var isDiverged = false
        do {
            let history = try setting.trainer.fit(
                setting.train, trial.run.length, batchSize: trial.run.batchSize,
                dropsLastBatch: trial.run.dropsLastBatch,
                callbacks: [stopper] + progress + recorders)
            if history.stopReason == .interrupted { return nil }
        } catch TrainingError.tooManyBadBatches {
            // What a training at the edge does is a result like any other.
            isDiverged = true
        }
        var outcome = Outcome()
        for recorder in recorders { try recorder.finish(setting, &outcome) }
        if trial.probes.contains(.ending) {
            try ending(setting, isDiverged: isDiverged, seconds: stopper.seconds, &outcome)
        }
        return outcome
    }

    private func makeSetting() throws -> TrialSetting {
        func part(_ data: Dataset, _ count: Int?) -> Dataset {
            count.map { $0 < data.count ? data.subset(0..<$0) : data } ?? data
        }
        let (train, test) = (part(train, trial.trainSamples), part(test, trial.testSamples))
        let model = try trial.network.make(norm: trial.run.norm, data: train, seed: UInt64(seed))
        var run = trial.run
        run.seed = UInt64(seed)
        let perEpoch =
            run.dropsLastBatch
            ? train.count / run.batchSize : (train.count - 1) / run.batchSize + 1
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: run.makeOptimizer(), metrics: [.accuracy],
            schedule: try Schedule(
                parsing: run.schedule, totalSteps: run.length.steps(perEpoch: perEpoch)),
            seed: run.seed, workers: workers)
        return TrialSetting(
            trial: trial, seed: seed, trainer: trainer, train: train, test: test)
    }

    private func ending(
        _ setting: TrialSetting, isDiverged: Bool, seconds: Double, _ outcome: inout Outcome
    ) throws {
        let test = try setting.trainer.evaluate(setting.test)
        // As many as are tested on, so that both are as exact.
        let count = min(setting.test.count, setting.train.count)
        let train = try setting.trainer.evaluate(setting.train.subset(0..<count))
        outcome.scalars["testAccuracy"] = test.metrics["accuracy"]
        outcome.scalars["trainAccuracy"] = train.metrics["accuracy"]
        outcome.scalars["testLoss"] = test.loss
        outcome.scalars["trainLoss"] = train.loss
        outcome.scalars["gap"] =
            (train.metrics["accuracy"] ?? .nan) - (test.metrics["accuracy"] ?? .nan)
        // Worse than twice guessing is no training any more.
        let limit = 2 * log(Double(max(setting.train.classCount ?? 2, 2)))
        outcome.scalars["diverged"] = isDiverged || !(train.loss <= limit) ? 1 : 0
        outcome.scalars["seconds"] = seconds
    }
}

/// What a trial's probes have to do with.
struct TrialSetting {
    let trial: Trial
    let seed: Int
    let trainer: Trainer
    let train: Dataset
    let test: Dataset
}

/// A probe at work.
class ProbeRecorder: TrainingCallback {
    /// Puts what was recorded into the outcome, after the training.
    func finish(_ setting: TrialSetting, _ outcome: inout Outcome) throws {}
}

extension Probe {
    /// What does the recording; nil for what is taken at the end anyway.
    func recorder(_ setting: TrialSetting) -> ProbeRecorder? {
        switch self {
        case .ending: nil
        case .accuracy(let every): AccuracyRecorder(every: every, setting.test)
        case .layers(let steps): LayerRecorder(steps: Set(steps))
        case .unit(let every): UnitRecorder(setting, every: every)
        case .landscape(let every): LandscapeRecorder(setting, every: every)
        case .modes(let every, let population):
            ModeRecorder(setting, every: every, population: population)
        case .cost: CostRecorder()
        }
    }
}

/// Passes on the progress, and stops when asked to.
private final class Stopper: TrainingCallback {
    private let goesOn: (Int, Int) -> Bool
    private(set) var seconds = 0.0

    init(_ goesOn: @escaping (Int, Int) -> Bool) {
        self.goesOn = goesOn
        super.init()
    }

    override func stepDidEnd(_ session: TrainingSession) {
        seconds = session.trainingSeconds
        if !goesOn(session.progress.step, session.totalSteps) { session.stop(.interrupted) }
    }
}
