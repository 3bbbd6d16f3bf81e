import Arrays
import Datasets
import Foundation
import Graph
import Layers
import Normalization
import Runtime
import Training

/// What goes into the activations: percentiles of one unit's input, and how far the moments of all of them
/// move.
///
/// Always over the same samples of the training data, normalized as a training batch is.
final class UnitRecorder: ProbeRecorder {
    private let every: Int
    private let samples: Dataset
    private let step: Step
    private var percentiles = [15, 50, 85].map { ($0, Outcome.Series()) }
    private var shift = Outcome.Series()
    private var previous: [(mean: [Double], deviation: [Double])] = []

    init(_ setting: TrialSetting, every: Int) {
        self.every = every
        samples = setting.train.subset(0..<min(500, setting.train.count))
        let (model, data) = (setting.trainer.model, samples)
        step = Step(workers: setting.trainer.workers) { inputs in
            Trace.discardingProposals {
                let recorder = ActivationInputs()
                var context = Context(.training)
                context.calls = recorder
                _ = model(model.input(inputs[0], of: data), context)
                return recorder.found
            }
        }
        super.init()
    }

    override func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) {
        guard session.progress.step % every == 0 else { return }
        look(Double(session.progress.step))
    }

    private func look(_ position: Double) {
        let inputs = step.run([samples.features]).outputs
        guard let last = inputs.last else { return }
        // The first unit of the last hidden layer.
        let width = last.shape[1]
        let values: [Double] = last.elements()
        let unit = stride(from: 0, to: values.count, by: width).map { values[$0] }.sorted()
        for index in percentiles.indices {
            percentiles[index].1.append(
                position, unit[(unit.count - 1) * percentiles[index].0 / 100])
        }
        let moments = inputs.map(Self.moments)
        if !previous.isEmpty {
            shift.append(position, Self.distance(previous, moments))
        }
        previous = moments
    }

    private static func moments(_ array: NDArray) -> (mean: [Double], deviation: [Double]) {
        let width = array.shape[1]
        let values: [Double] = array.elements()
        let moments = ChannelMoments(
            rows: stride(from: 0, to: values.count, by: width).map {
                Array(values[$0..<($0 + width)])
            }, channels: width)
        return (moments.mean, moments.variance().map { $0.squareRoot() })
    }

    /// The mean over layers of the root mean square, over units, of how far mean and deviation have moved,
    /// in deviations.
    private static func distance(
        _ old: [(mean: [Double], deviation: [Double])],
        _ new: [(mean: [Double], deviation: [Double])]
    ) -> Double {
        let layers = zip(old, new).map { old, new in
            let squares = old.mean.indices.map { unit -> Double in
                let size = max(old.deviation[unit], 1e-12)
                let mean = (new.mean[unit] - old.mean[unit]) / size
                let deviation = (new.deviation[unit] - old.deviation[unit]) / size
                return mean * mean + deviation * deviation
            }
            return (squares.reduce(0, +) / Double(max(squares.count, 1))).squareRoot()
        }
        return layers.reduce(0, +) / Double(max(layers.count, 1))
    }

    override func finish(_ setting: TrialSetting, _ outcome: inout Outcome) {
        for (level, series) in percentiles { outcome.series["unit\(level)"] = series }
        outcome.series["momentShift"] = shift
        let moved = shift.y.filter(\.isFinite)
        if !moved.isEmpty {
            outcome.scalars["meanMomentShift"] = moved.reduce(0, +) / Double(moved.count)
        }
    }
}

/// The inputs of all activations that see one row of numbers per sample.
private final class ActivationInputs: CallObserver {
    private(set) var found: [Tensor] = []

    override func moduleWasCalled(_ module: Module, path: String, input: Tensor, output: Tensor) {
        let isActivation =
            module is Sigmoid || module is Tanh || module is ReLU || module is ReLU6
            || module is GELU
            || module is SiLU || module is ELU || module is LeakyReLU || module is Softplus
        if isActivation, input.rank == 2 { found.append(input.cast(to: .float32)) }
    }
}
