import Arrays
import Datasets
import Graph
import Layers
import Runtime

/// Runs a model for inference over data sets that are scaled alike.
final class Evaluator {
    private let metrics: [Metric]
    private let scaling: InputScaling
    private let scoring: Step
    private let predicting: Step

    init(
        _ model: Module, loss: Loss, metrics: [Metric], scaling: InputScaling,
        backend: Backend, workers: Workers
    ) {
        self.metrics = metrics
        self.scaling = scaling
        let output = { (inputs: [Tensor]) in
            model(
                model.gatherInput(inputs[0], inputs[1], scaling),
                Context(.inference, sampleIndices: inputs[1]))
        }
        predicting = Step(backend: backend, workers: workers) { inputs in
            [output(inputs).cast(to: .float32)]
        }
        scoring = Step(backend: backend, workers: workers) { inputs in
            let output = output(inputs)
            let losses = loss.samplewise(output, inputs[2].gather(inputs[1]))
            let perSample =
                losses.rank > 1 ? losses.mean(axes: Array(1..<losses.rank)) : losses
            return [output.cast(to: .float32), perSample]
        }
    }

    func fits(_ data: Dataset) -> Bool { scaling == InputScaling(data) }

    func evaluate(_ data: Dataset, batchSize: Int) throws -> Evaluation {
        var lossSum = 0.0
        var accumulators = metrics.map { $0.makeAccumulator() }
        data.beginLoading(order: 0..<data.count)
        var count = 0
        let size = try fitting(scoring, [data.table], [data.answerArray], data.count, batchSize)
        for batch in try batches(data, size) {
            let indices = data.readable(batch)
            guard indices.elementCount > 0 else { continue }
            count += indices.elementCount
            let outputs = scoring.run([data.table, indices, data.answerArray]).outputs
            lossSum += outputs[1].elements(as: Double.self).reduce(0, +)
            guard !accumulators.isEmpty else { continue }
            guard let labels = data.labels else {
                throw TrainingError.invalid("metrics need integer labels, found targets")
            }
            let batchLabels = labels.gatheringRows(
                indices.elements(as: Int32.self).map(Int.init))
            for index in accumulators.indices {
                accumulators[index].add(outputs: outputs[0], labels: batchLabels)
            }
        }
        guard count > 0 else { throw TrainingError.invalid("no sample can be read") }
        let pairs = zip(metrics, accumulators).map { ($0.name, $1.value) }
        return Evaluation(
            loss: lossSum / Double(count),
            metrics: Dictionary(pairs, uniquingKeysWith: { $1 }), sampleCount: count)
    }

    /// The mean loss of some samples as one batch.
    func meanLoss(_ data: Dataset, _ indices: NDArray) -> Double {
        let indices = data.readable(indices)
        let outputs = scoring.run([data.table, indices, data.answerArray]).outputs
        return outputs[1].elements(as: Double.self).reduce(0, +) / Double(indices.elementCount)
    }

    func predict(_ data: Dataset, batchSize: Int) throws -> NDArray {
        var values: [Float] = []
        var sample: Shape = []
        let size = try fitting(predicting, [data.features], [], data.count, batchSize)
        for indices in try batches(data, size) {
            let output = predicting.run([data.features, indices]).outputs[0]
            values += output.elements(as: Float.self)
            sample = Shape(Array(output.shape.dropFirst()))
        }
        return NDArray(values, shape: Shape([data.count] + sample))
    }

    /// The most samples, `batchSize` if possible, that the machine has memory for at once.
    private func fitting(
        _ step: Step, _ tables: [NDArray], _ answers: [NDArray], _ count: Int, _ batchSize: Int
    ) throws(TrainingError) -> Int {
        func specs(_ arrays: [NDArray]) -> [TensorSpec] {
            arrays.map { TensorSpec($0.shape, $0.elementType) }
        }
        var size = max(min(batchSize, count), 1)
        while true {
            do {
                try step.prepared(
                    specs(tables) + [TensorSpec([size], .int32)] + specs(answers))
                return size
            } catch {
                guard size > 1 else {
                    throw .invalid("\(error.of("the model's output for a sample"))")
                }
                size /= 2
            }
        }
    }

    private func batches(_ data: Dataset, _ batchSize: Int) throws -> [NDArray] {
        guard data.count > 0 else {
            throw TrainingError.invalid("there are no samples to evaluate")
        }
        return stride(from: 0, to: data.count, by: max(batchSize, 1)).map { start in
            NDArray((start..<min(start + batchSize, data.count)).map { Int32($0) })
        }
    }
}
