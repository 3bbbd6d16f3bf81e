import Arrays
import Datasets
import Foundation
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Looking into a training")
struct StatisticsTests {
    /// Trains, with a look every so many steps (none for nil), on the fast backend.
    static func train(_ interval: Int?, steps: Int = 9, batchSize: Int = 16) throws -> (
        values: [NDArray], seen: [StepStatistics]
    ) {
        let model = TrainerTests.model(dropout: 0.3)
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.02), seed: 3,
            workers: Workers(count: 1))
        var seen: [StepStatistics] = []
        let recorder = interval.map { StatisticsRecorder(interval: $0) { seen.append($0) } }
        try trainer.fit(
            try TrainerTests.data(), .steps(steps), batchSize: batchSize,
            callbacks: recorder.map { [$0] } ?? [])
        return (model.namedVariables.map(\.variable.value), seen)
    }

    @Test("Elements are drawn from tensors of any size")
    func samples() {
        let large = Tensor.zeros([3, 1 << 30])
        #expect(large.sample(64).shape == [64])
        let values = Tensor(NDArray((0..<1000).map { Float($0) })).sample(64).evaluate()
        let numbers = Set(values.elements(as: Float.self))
        #expect(numbers.count > 32 && numbers.contains { $0 > 500 } && numbers.max()! < 1000)
    }

    @Test("A training gives the same bits, however often it is looked at", arguments: [1, 2, 5])
    func sameBits(interval: Int) throws {
        #expect(try Self.train(interval).values == Self.train(nil).values)
    }

    @Test("Looks come every so many steps, and a smaller batch at the end of an epoch is left out")
    func intervals() throws {
        // 60 samples in batches of 16: every fourth batch has 12.
        #expect(try Self.train(1).seen.map(\.step) == [0, 1, 2, 4, 5, 6, 8])
        #expect(try Self.train(3).seen.map(\.step) == [0, 4, 6])
        let epochs = try Self.train(3).seen.map(\.epoch)
        #expect(epochs == [1, 2, 2])
    }

    @Test("What is seen is what is there")
    func values() throws {
        let (_, seen) = try Self.train(4, steps: 5)
        let first = try #require(seen.first)
        #expect(first.layers.map(\.name) == ["0", "1", "2", "3", "4"])
        #expect(
            first.layers.map(\.kind) == ["Dense", "BatchNorm", "ReLU", "Dropout", "Dense"])
        #expect(
            first.parameters.map(\.name) == [
                "0.weight", "1.weight", "1.bias", "4.weight", "4.bias",
            ])
        // Before anything is learned: gamma is 1, beta 0, and the statistics are those of nothing.
        #expect(abs(first.parameters[1].norm - 8.0.squareRoot()) < 1e-6)
        #expect(first.parameters[2].norm == 0)
        #expect(first.norms.map(\.name) == ["1"])
        #expect(first.norms[0].runningMean == [0, 0, 0, 0])
        #expect(first.norms[0].runningVariance == [1, 1, 1, 1])

        // The same by hand, for the first batch.
        let model = TrainerTests.model(dropout: 0.3)
        let data = try TrainerTests.data()
        let order = EpochOrder(count: 60, seed: 3).indices(epoch: 0).prefix(16).map(Int.init)
        let batch = data.subset(order)
        let input = Tensor(batch.features).cast(to: .float32) * Double(Float(1) / 255)
        let hidden = (model.layers[0] as! Dense)(input)
        let outputs: [Float] = hidden.elements()
        #expect(first.layers[0].percentiles.first == outputs.min())
        #expect(first.layers[0].percentiles.last == outputs.max())
        let middle = outputs.sorted()[(outputs.count - 1) / 2]
        #expect(first.layers[0].percentiles[4] == middle)
        let columns: [Double] = hidden.mean(axes: [0]).elements()
        for (channel, mean) in first.norms[0].batchMean.enumerated() {
            #expect(abs(Double(mean) - columns[channel]) < 1e-5)
        }
        // Logits of about 0 in three classes.
        #expect(first.loss > 0.5 && first.loss < 2.5)
        #expect(first.parameters.allSatisfy { $0.gradientNorm > 0 })
        #expect(seen[1].norms[0].runningMean != first.norms[0].runningMean)
        #expect(seen[1].samplesPerSecond > 0)
    }

    /// One of each kind of layer that keeps running statistics.
    private static let keepers: [(name: String, make: @Sendable () -> Module)] = [
        ("BatchNorm", { BatchNorm(6) }), ("BatchRenorm", { BatchRenorm(6) }),
        ("GhostBatchNorm", { GhostBatchNorm(ghostSize: 8, 6) }), ("EvoNormB0", { EvoNormB0(6) }),
        ("FrozenBatchNorm", { FrozenBatchNorm(6) }),
    ]

    @Test("Every layer with running statistics is told of", arguments: 0..<5)
    func keepers(index: Int) throws {
        let (name, make) = Self.keepers[index]
        let model = Sequential {
            Dense(4, 6)
            make()
            Dense(6, 3)
        }
        model.initialize(seed: 2)
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: SGD(learningRate: 0.1),
            workers: Workers(count: 1))
        var seen: [StepStatistics] = []
        try trainer.fit(
            try TrainerTests.data(), .steps(3), batchSize: 16,
            callbacks: [StatisticsRecorder(interval: 1) { seen.append($0) }])
        let last = try #require(seen.last)
        #expect(last.layers.map(\.kind) == ["Dense", name, "Dense"])
        #expect(last.norms.map(\.name) == ["1"])
        let norm = last.norms[0]
        let states = Dictionary(
            uniqueKeysWithValues: model.namedVariables.map { ($0.name, $0.variable.value) })
        // One step behind the model that is left; a frozen one does not move at all.
        let mean = states["1.running_mean"].map {
            Array($0.elements(as: Float.self).prefix(4))
        }
        #expect(norm.runningMean.count == (mean?.count ?? 0))
        #expect(norm.batchMean.count == norm.runningMean.count)
        if let mean { #expect((norm.runningMean == mean) == (name == "FrozenBatchNorm")) }
        #expect(norm.runningVariance.count == 4 && norm.batchVariance.allSatisfy { $0 > 0 })
        #expect(norm.varianceGap > 0)
        #expect((norm.meanGap > 0) == (name != "EvoNormB0"))
        if name == "FrozenBatchNorm" { #expect(norm.runningVariance == [1, 1, 1, 1]) }
    }

    @Test(
        "Gradients whose squares float32 cannot hold have norms",
        arguments: [1e-36, 1e-30, 1e-15, 1, 1e15])
    func extremeGradients(size: Double) throws {
        let model = Sequential { Dense(4, 3) }
        model.initialize(seed: 1)
        let sized = Loss("sized") { output, _ in output.sum(axes: [1]) * size }
        let trainer = Trainer(model, loss: sized, optimizer: SGD(), workers: Workers(count: 1))
        var seen: [StepStatistics] = []
        try trainer.fit(
            try TrainerTests.data(), .steps(1), batchSize: 16,
            callbacks: [StatisticsRecorder { seen.append($0) }])
        let bias = try #require(seen.first?.parameters.last)
        #expect(abs(bias.gradientNorm / (size * 3.0.squareRoot()) - 1) < 1e-5)
    }

    @Test("A torn line is left out, and a run that goes on leaves no doubles")
    func torn() throws {
        try RunTests.withFolder { folder in
            #expect(try folder.readStatistics().isEmpty)
            let seen = try Self.train(2).seen
            for statistics in seen { try folder.append(statistics) }
            #expect(try folder.readStatistics() == seen)
            let whole = try Data(contentsOf: URL(filePath: folder.statistics))
            for length in stride(from: whole.count - 2, to: whole.count - 400, by: -37) {
                try whole.prefix(length).write(to: URL(filePath: folder.statistics))
                #expect(try folder.readStatistics() == seen.dropLast())
            }
            try folder.truncateRecords(toStep: seen[1].step)
            #expect(try folder.readStatistics() == [seen[0]])
            try folder.append(seen[1])
            #expect(try folder.readStatistics() == Array(seen.prefix(2)))
        }
    }

    @Test("Numbers that are not finite come back")
    func notFinite() throws {
        var statistics = try #require(try Self.train(50).seen.first)
        statistics.loss = .infinity
        statistics.layers[0].percentiles[0] = -.infinity
        statistics.layers[0].mean = .nan
        let line = JSONLines.encode(statistics)
        let read = try #require(JSONLines.decode(line.utf8, as: StepStatistics.self))
        #expect(read.loss == .infinity && read.layers[0].percentiles[0] == -.infinity)
        #expect(read.layers[0].mean.isNaN)
    }
}
