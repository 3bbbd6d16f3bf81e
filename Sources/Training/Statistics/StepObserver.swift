import Arrays
import Graph
import Layers
import Normalization
import RealModule
import Runtime

/// Looks into a model while it is trained: runs a batch forward and backward in a plan of its own and
/// leaves everything as it was, so that a training gives the same bits with and without it.
public final class StepObserver {
    /// So many outputs of a layer are looked at, at most.
    public static let sampleCount = 2048

    private let trainer: Trainer
    private var names: (layers: [CallRecorder.Layer], parameters: [String]) = ([], [])
    private var norms: [(name: String, norm: any RunningNormalization)] = []
    private lazy var step = makeStep()

    public init(_ trainer: Trainer) { self.trainer = trainer }

    /// What happens in the batch. Step, throughput and memory are left for the caller to say.
    /// Throws where that needs more memory than there is.
    package func observe(_ batch: TrainingBatch) throws(TrainingError) -> StepStatistics {
        // Compiled for the shapes at hand first, which says what the outputs are.
        var outputs: ArraySlice<NDArray>
        do { outputs = try step.checkedRun(batch.inputs).outputs[...] } catch {
            throw .invalid("\(error.of("looking into the layers"))")
        }
        func next() -> NDArray { outputs.removeFirst() }
        let loss: Double = next().item()
        let layers = names.layers.map { layer in
            StepStatistics.Layer(layer.name, layer.kind, sample: next().elements(as: Float.self))
        }
        let parameters = names.parameters.map { name in
            let squares: [Double] = next().elements()
            return StepStatistics.Parameter(
                name: name, norm: Tensor.norm(squares[..<2]),
                gradientNorm: Tensor.norm(squares[2...]))
        }
        let norms = norms.map { name, norm in
            StepStatistics.Norm(
                name, norm, count: next().item(), mean: next().elements(),
                variance: next().elements())
        }
        return StepStatistics(
            step: 0, epoch: 1, learningRate: batch.learningRate, loss: loss, samplesPerSecond: 0,
            memoryBytes: 0, layers: layers, parameters: parameters, norms: norms)
    }

    private func makeStep() -> Step {
        Step(backend: trainer.backend, workers: trainer.workers) { [unowned self] inputs in
            Trace.discardingProposals { look(inputs) }
        }
    }

    /// What is to be computed: the order in which ``observe(_:)`` takes it apart.
    private func look(_ inputs: [Tensor]) -> [Tensor] {
        let recorder = CallRecorder()
        let loss = trainer.meanLoss(inputs, calls: recorder)
        let parameters = trainer.model.namedParameters.filter(\.parameter.isTrainable)
        let gradients = loss.gradients(parameters.map(\.parameter.tensor))
        let norms = zip(parameters, gradients).map { named, gradient in
            Tensor.stack([named.parameter.tensor, gradient].flatMap(\.sumsOfSquares))
        }
        names = (recorder.layers, parameters.map(\.name))
        self.norms = recorder.norms.map { ($0.name, $0.norm) }
        let moments = recorder.norms.flatMap { _, norm, input in
            let moments = input.moments(axis: norm.axis)
            return [moments.count, moments.mean + moments.low, moments.variance]
        }
        return [loss] + recorder.layers.map { $0.output.sample(Self.sampleCount) } + norms
            + moments
    }
}

/// Keeps what the layers of a model give.
private final class CallRecorder: CallObserver {
    struct Layer {
        let name: String
        let kind: String
        let output: Tensor
    }

    private(set) var layers: [Layer] = []
    private(set) var norms: [(name: String, norm: any RunningNormalization, input: Tensor)] = []
    private var seen: Set<ObjectIdentifier> = []

    override func moduleWasCalled(_ module: Module, path: String, input: Tensor, output: Tensor) {
        let hasParts = module.members().contains {
            if case .module = $0.member { true } else { false }
        }
        // What is made of other layers, or only gives a shape, has no outputs of its own.
        guard !hasParts, !(module is Flatten || module is Layers.Reshape || module is Identity),
            seen.insert(ObjectIdentifier(module)).inserted
        else { return }
        layers.append(Layer(name: path, kind: "\(type(of: module))", output: output))
        if let norm = module as? any RunningNormalization, norm.running != nil {
            norms.append((path, norm, input))
        }
    }
}

extension Tensor {
    /// The sum of squares, and the sum of the squares of the elements times ``enlargement``: what is small in
    /// float32 has a square of 0 there, and going through float64 takes longer than a whole small step.
    fileprivate var sumsOfSquares: [Tensor] {
        [self, self * Self.enlargement].map { $0.square().sum().cast(to: .float64) }
    }

    /// A power of two, so that it rounds nothing.
    private static let enlargement = 0x1p60

    /// The Euclidean norm that follows from both sums: from that of the enlarged elements, unless it is
    /// beyond the largest number. Then small elements do not matter.
    fileprivate static func norm(_ sums: ArraySlice<Double>) -> Double {
        let (plain, enlarged) = (sums[sums.startIndex], sums[sums.startIndex + 1])
        return enlarged.isFinite ? enlarged.squareRoot() / enlargement : plain.squareRoot()
    }

    /// Elements from all over the tensor, always the same ones, as float32. Of a tensor that has more elements
    /// than indices can tell, from so many of the first.
    package func sample(_ count: Int) -> Tensor {
        let total = shape.elementCount
        guard total > count else { return cast(to: .float32).reshape([total]) }
        // Drawn, because equal distances would meet the same channels again and again.
        var generator = PhiloxGenerator(seed: UInt64(total))
        let positions = (0..<count).map { _ in
            Int32.random(in: 0..<Int32(clamping: total), using: &generator)
        }
        return cast(to: .float32).reshape([total, 1]).gather(Tensor(NDArray(positions)))
            .reshape([count])
    }
}

extension StepStatistics.Layer {
    fileprivate init(_ name: String, _ kind: String, sample: [Float]) {
        let sorted = sample.filter { !$0.isNaN }.sorted()
        let count = Double(max(sample.count, 1))
        let mean = sample.reduce(0) { $0 + Double($1) } / count
        let square = sample.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        self.init(
            name: name, kind: kind,
            percentiles: StepStatistics.percentileLevels.map { level in
                sorted.isEmpty ? .nan : sorted[(sorted.count - 1) * level / 100]
            },
            mean: Float(mean), deviation: Float(square.squareRoot()))
    }
}

extension StepStatistics.Norm {
    fileprivate init(
        _ name: String, _ norm: any RunningNormalization, count: Double, mean: [Double],
        variance: [Double]
    ) {
        guard let running = norm.running else {
            preconditionFailure("\(name): only norms with running statistics are looked at")
        }
        let batch = ChannelMoments(
            count: count, mean: mean, squaredDistances: variance.map { $0 * count })
        let batchVariance = batch.variance(running.kind)
        let runningMean: [Double]? = running.mean?.value.elements()
        let runningVariance: [Double] = running.variance.value.elements()
        let channels = mean.indices
        let meanGaps = runningMean.map { runningMean in
            channels.map { channel in
                let distance = runningMean[channel] - mean[channel]
                return distance * distance / (batchVariance[channel] + norm.epsilon)
            }
        }
        let varianceGaps = channels.map { channel in
            let ratio =
                (runningVariance[channel] + norm.epsilon) / (batchVariance[channel] + norm.epsilon)
            return abs(Double.log(ratio))
        }
        func average(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        func shown(_ values: [Double]) -> [Float] {
            values.prefix(Self.shownChannels).map { Float($0) }
        }
        self.init(
            name: name, meanGap: meanGaps.map { average($0).squareRoot() } ?? 0,
            varianceGap: average(varianceGaps), runningMean: runningMean.map(shown) ?? [],
            batchMean: runningMean == nil ? [] : shown(mean),
            runningVariance: shown(runningVariance), batchVariance: shown(batchVariance))
    }
}
