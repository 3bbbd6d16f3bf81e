import Datasets
import Layers
import Training

/// One training of an experiment: what is trained, how, and what is recorded. Everything about it but the
/// seed.
package struct Trial: Hashable, Sendable {
    package var network: Network
    /// The optimizer, the length, the batch and so on. Its model is `network`'s.
    package var run: RunConfiguration
    package var probes: [Probe]
    /// How many samples are trained on; nil takes all.
    var trainSamples: Int?
    /// How many samples of the test data accuracies are taken on; nil takes all.
    package var testSamples: Int?

    /// Plain gradient descent with a constant rate: nothing that would stand between cause and effect.
    package init(_ network: Network, steps: Int, batchSize: Int = 60, learningRate: Double = 0.1) {
        self.network = network
        var run = RunConfiguration()
        run.optimizer = .sgd
        run.momentum = 0
        run.schedule = "constant"
        run.length = .steps(steps)
        run.batchSize = batchSize
        run.learningRate = learningRate
        run.dropsLastBatch = true
        run.norm = .none
        self.run = run
        probes = [.ending]
        testSamples = 2000
    }

    /// What tells the trial from any other, as text: a finished one is kept only under the same.
    package var stamp: String {
        var run = run
        var name = "as described"
        if case .layers(let description) = network {
            run.model = description
        } else {
            name = "\(network)"
        }
        return "network \(name) | norm \(run.norm.rawValue) | \(probes) | "
            + "samples \(trainSamples.map(String.init) ?? "all"), "
            + "\(testSamples.map(String.init) ?? "all")\n" + run.yaml
    }

    /// About how much there is to do, in samples of a small perceptron: for progress and the time left.
    var work: Double {
        let factor =
            switch network {
            case .layers, .residual: 1.0
            case .cnn: 8.0
            case .architecture: 200.0
            }
        guard case .steps(let steps) = run.length else { return factor }
        return factor * Double(steps) * Double(run.batchSize + 20)
    }
}
