import Arrays
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Gradient accumulation")
struct AccumulationTests {
    /// A training whose steps are `accumulate` batches of `batchSize` samples.
    private func values(batchSize: Int, accumulate: Int, backend: Backend) throws -> [NDArray] {
        let model = TrainerTests.model(dropout: 0.2)
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.02), seed: 5,
            accumulate: accumulate, backend: backend, workers: Workers(count: 2))
        let history = try trainer.fit(try TrainerTests.data(61), .epochs(2), batchSize: batchSize)
        // 61 samples in steps of 24: the last step of an epoch has 13.
        #expect(history.progress.step == 6)
        return model.namedVariables.map(\.variable.value)
    }

    @Test(
        "Batches together are one large batch, bit for bit, statistics included",
        arguments: [Backend.fast, .reference])
    func sameBits(backend: Backend) throws {
        let whole = try values(batchSize: 24, accumulate: 1, backend: backend)
        #expect(try values(batchSize: 8, accumulate: 3, backend: backend) == whole)
        #expect(try values(batchSize: 1, accumulate: 24, backend: backend) == whole)
    }

    @Test("Two numbers whose product no step can have are refused")
    func tooMany() throws {
        let trainer = Trainer(
            TrainerTests.model(), loss: .crossEntropy, optimizer: SGD(), accumulate: 1 << 40)
        #expect(throws: TrainingError.self) {
            try trainer.fit(try TrainerTests.data(), .epochs(1), batchSize: 1 << 40)
        }
        var configuration = RunConfiguration()
        (configuration.batchSize, configuration.accumulate) = (1 << 40, 1 << 40)
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
        configuration.batchSize = 32
        configuration.accumulate = 0
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
    }

    @Test("It is part of a run's configuration")
    func configuration() throws {
        var configuration = RunConfiguration()
        configuration.accumulate = 4
        let read = try RunConfiguration(yaml: configuration.yaml, source: "test")
        #expect(read == configuration)
        #expect(read.samplesPerStep == 512)
    }
}
