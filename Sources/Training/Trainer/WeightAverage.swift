import Arrays
import Datasets
import Graph
import Layers
import Runtime

/// The exponential moving average of a model's weights over the steps of a training (Polyak and Juditsky
/// 1992; Izmailov et al. 2018 for networks): steadier than the weights themselves at a constant or large
/// learning rate.
///
/// The n-th update moves the average by the larger of `1 - decay` and `9 / (9 + n)` of the way, so that
/// the initial weights are soon forgotten. Running statistics are not averaged: those of the averaged
/// weights are others, and are taken exactly over samples when they are needed.
public final class WeightAverage {
    public let decay: Double
    private let model: Module
    private let names: [String]
    private let parameters: [Parameter]
    private let averages: [Variable]
    private let count = Variable(NDArray(scalar: Int64(0)))
    private let step: Step

    /// How many samples statistics are taken over.
    static let sampleCount = 2048

    /// Begins with the weights that the model has now.
    init(_ model: Module, decay: Double, backend: Backend, workers: Workers) {
        self.decay = decay
        self.model = model
        let named = model.namedParameters
        names = named.map(\.name)
        let parameters = named.map(\.parameter)
        let averages = parameters.map { Variable($0.value) }
        let count = count
        step = Step(backend: backend, workers: workers) { inputs in
            for (parameter, average) in zip(parameters, averages) {
                let value = parameter.variable.tensor
                let factor = inputs[0].cast(to: value.elementType)
                average.propose(average.tensor + (value - average.tensor) * factor)
            }
            count.propose((count.tensor.cast(to: .float64) + 1).cast(to: .int64))
            return []
        }
        self.parameters = parameters
        self.averages = averages
    }

    /// Takes in the weights of a step that has committed.
    func update() {
        let updates = Double(count.value.item(as: Int64.self)) + 1
        _ = step(NDArray(scalar: max(1 - decay, 9 / (9 + updates))))
    }

    /// What a checkpoint keeps.
    var namedVariables: [(name: String, variable: Variable)] {
        [(name: "count", variable: count)]
            + zip(names, averages).map { (name: $0, variable: $1) }
    }

    /// Runs something while the model has the averaged weights and the statistics that belong to them,
    /// taken over evenly spaced samples of the data; then it has its own again.
    func apply<Result>(
        statistics data: Dataset, workers: Workers, _ body: () throws -> Result
    ) throws -> Result {
        let before = model.allVariables.map(\.value)
        defer {
            for (variable, value) in zip(model.allVariables, before) { variable.value = value }
        }
        for (parameter, average) in zip(parameters, averages) { parameter.value = average.value }
        let taken = min(data.count, Self.sampleCount)
        let samples = data.subset((0..<taken).map { $0 * data.count / taken })
        try model.recalibrate(on: samples, workers: workers)
        return try body()
    }
}
