import Training

/// Norms of gradients and deviations of outputs, layer by layer, at some steps.
final class LayerRecorder: ProbeRecorder {
    private let steps: Set<Int>
    private var seen: [StepStatistics] = []
    private var observer: StepObserver?

    init(steps: Set<Int>) {
        self.steps = steps
        super.init()
    }

    override func trainingWillBegin(_ session: TrainingSession) {
        observer = StepObserver(session.trainer)
    }

    override func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) throws {
        guard steps.contains(session.progress.step), let observer else { return }
        var statistics = try observer.observe(batch)
        statistics.step = session.progress.step
        seen.append(statistics)
    }

    override func finish(_ setting: TrialSetting, _ outcome: inout Outcome) {
        for statistics in seen {
            let dense = statistics.layers.filter { $0.kind == "Dense" }
            var (gradients, deviations) = (Outcome.Series(), Outcome.Series())
            for (index, layer) in dense.enumerated() {
                deviations.append(Double(index + 1), Double(layer.deviation))
                let weight = statistics.parameters.first { $0.name == layer.name + ".weight" }
                if let weight { gradients.append(Double(index + 1), weight.gradientNorm) }
            }
            outcome.series["gradientNorm@\(statistics.step)"] = gradients
            outcome.series["deviation@\(statistics.step)"] = deviations
        }
    }
}
