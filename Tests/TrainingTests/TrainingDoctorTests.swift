import Arrays
import Datasets
import Graph
import Layers
import Normalization
import Runtime
import Testing
import Training

@Suite("The doctor")
struct TrainingDoctorTests {
    /// What it says while a model is trained.
    private func warnings(
        _ model: Module, optimizer: Optimizer = Adam(learningRate: 0.02), batchSize: Int = 20,
        epochs: Int = 20
    ) throws -> [String] {
        var warnings: [String] = []
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: optimizer, seed: 3, backend: .reference)
        model.initialize(seed: 7)
        try trainer.fit(
            try TrainerTests.data(), .epochs(epochs), batchSize: batchSize,
            callbacks: [TrainingDoctor { warnings.append($0) }])
        return warnings
    }

    /// Its statistics keep up with the few steps of these trainings.
    private func prompt() -> BatchNorm {
        BatchNorm(8, average: .exponential(weight: 0.5, debiased: true))
    }

    /// 4 inputs, 3 classes, with a normalization of the hidden layer.
    private func model(bias: Bool = false, _ norm: Module) -> Sequential {
        Sequential {
            Dense(4, 8, bias: bias)
            norm
            ReLU()
            Dense(8, 3)
        }
    }

    @Test("It is silent where nothing is wrong")
    func healthy() throws {
        #expect(try warnings(model(prompt())) == [])
        #expect(try warnings(model(bias: true, LayerNorm(8)), batchSize: 4) == [])
        #expect(try warnings(model(GroupNorm(groups: 2, 8)), batchSize: 2) == [])
    }

    @Test("Statistics of a few samples", arguments: [(15, 1), (16, 0)])
    func fewSamples(batchSize: Int, count: Int) throws {
        let found = try warnings(model(BatchNorm(8)), batchSize: batchSize)
        #expect(found.count { $0.contains("from \(batchSize) samples at a time") } == count)
        let ghosts = try warnings(
            model(GhostBatchNorm(ghostSize: batchSize, 8)), batchSize: 60, epochs: 60)
        #expect(ghosts.count { $0.contains("from \(batchSize) samples at a time") } == count)
    }

    @Test("A bias in front of a batch norm, also in a module of one's own")
    func bias() throws {
        final class Branch: Module {
            let dense = Dense(4, 8)
            let norm = BatchNorm(8)
            override func call(_ input: Tensor, _ context: Context) -> Tensor {
                norm(dense(input, context).reshape([-1, 2, 4]).reshape([-1, 8]), context)
            }
        }
        #expect(try warnings(model(bias: true, BatchNorm(8))).first?.hasPrefix("0.bias: ") == true)
        let branch = Sequential {
            Branch()
            Dense(8, 3)
        }
        #expect(try warnings(branch).first?.hasPrefix("0.dense.bias: ") == true)
        // Something else is between.
        let apart = Sequential {
            Dense(4, 8)
            ReLU()
            prompt()
            Dense(8, 3)
        }
        #expect(try !warnings(apart).contains { $0.contains("bias") })
    }

    @Test("Weight decay on gammas and betas")
    func decay() throws {
        let everything = Adam(
            learningRate: 0.02, groups: [ParameterGroup(weightDecay: 1e-4) { _, _ in true }])
        let found = try warnings(model(prompt()), optimizer: everything)
        #expect(found.count == 1 && found[0].contains("2 gammas and betas such as 1.weight"))
        #expect(
            try warnings(
                model(prompt()), optimizer: Adam(learningRate: 0.02, weightDecay: 1e-4)) == [])
    }

    @Test("Averages that follow too fast or too slowly", arguments: [0, 1e-4, 0.99])
    func weights(weight: Double) throws {
        let norm = BatchNorm(8, average: .exponential(weight: weight))
        let found = try warnings(model(norm), epochs: 1)
        #expect(found.first?.contains("a new batch has the weight \(weight)") == true)
    }

    @Test("Running statistics that lag, measured on one batch both ways")
    func lag() throws {
        // Hardly anything of the initial statistics is forgotten in so few steps.
        let norm = BatchNorm(8, average: .exponential(weight: 0.001))
        let found = try warnings(model(norm), epochs: 60)
        #expect(found.contains { $0.hasPrefix("evaluation is far from training") })
        let data = try TrainerTests.data()
        let model = model(BatchNorm(8))
        let trainer = Trainer(model, loss: .crossEntropy, optimizer: SGD(), backend: .reference)
        let measured = try #require(StatisticsLag(trainer, data, samples: 60))
        // Statistics of the whole data: both ways are the same function.
        try model.recalibrate(on: data)
        let exact = try #require(StatisticsLag(trainer, data, samples: 60))
        #expect(abs(exact.batchLoss - measured.batchLoss) < 1e-6)
        #expect(abs(exact.runningLoss - exact.batchLoss) < 0.02)
        #expect(StatisticsLag(trainer, data, samples: 1) == nil)
    }

    @Test("Dead channels and gammas that are gone")
    func dead() throws {
        let norm = BatchNorm(8)
        let model = model(norm)
        model.initialize(seed: 1)
        norm.gamma!.value = NDArray([Float(1), 1, 0, 1, 1, 1e-5, 1, 1])
        norm.beta!.value = NDArray([Float(0), 1, -1, -9, 0, 1, 1, -3])
        let found = ModelWarnings.values(model, sample: [4])
        #expect(found.contains { $0.contains("never updated") })
        #expect(found.contains { $0.hasPrefix("1 BatchNorm: 2 of 8 gammas are near zero") })
        #expect(found.contains { $0.hasPrefix("1.weight: 2 of 8 channels are dead") })
        norm.statistics!.runningVariance.value = NDArray([Float(1), 1, 0, 1, 1, 1, 1, 1])
        #expect(
            ModelWarnings.values(model, sample: [4]).contains {
                $0.contains("1 of 8 channels have a running variance below epsilon")
            })
    }
}
