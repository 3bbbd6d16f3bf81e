import Arrays
import Datasets
import Graph
import Interchange
import Layers
import Runtime
import Testing
import Training

@Suite("Training practice")
struct PracticeTests {
    @Test(
        "Augmentation by name, and back",
        arguments: ["crop=4,flip,cutout=8,mixup=0.2", "flip", "cutout=1", "crop=2,mixup=1.0"])
    func augmentation(text: String) throws {
        #expect(try Augmentation(parsing: text).text == text)
    }

    @Test(
        "Augmentations that make no sense are refused",
        arguments: [
            "", "flip,flip", "crop", "crop=0", "crop=1.5", "cutout=-1", "mixup=2", "mixup=x",
            "flip=1", "blur=2", "crop=100000",
        ])
    func mistakes(text: String) {
        let error = #expect(throws: ConfigurationError.self) { try Augmentation(parsing: text) }
        #expect("\(error!)".hasPrefix("augment: "))
    }

    @Test("Everything is in the configuration's file, and comes back")
    func configuration() throws {
        var configuration = RunConfiguration()
        configuration.warmUp = 30
        configuration.labelSmoothing = 0.1
        configuration.averageDecay = 0.999
        configuration.augmentation = try Augmentation(parsing: "crop=4,mixup=0.25")
        configuration.isFolded = true
        for normalization in [
            NormalizationChoice.byTrainingData, .none,
            .by(ChannelNormalization(mean: [0.1, -3e-7], deviation: [1.0 / 3, 2])),
        ] {
            configuration.normalization = normalization
            let read = try RunConfiguration(yaml: configuration.yaml, source: "c")
            #expect(read == configuration)
        }
        for text in [
            "warmUp: -1", "labelSmoothing: 1", "ema: 1", "ema: -0.1", "augment: spin",
            "normalize: {mean: [1]}", "normalize: {mean: [1], deviation: [0]}", "normalize: 3",
        ] {
            #expect(throws: ConfigurationError.self) {
                try RunConfiguration(yaml: text, source: "c")
            }
        }
    }

    @Test("Smoothing is for training; evaluation reports the plain loss")
    func smoothing() throws {
        let data = try TrainerTests.data()
        let model = TrainerTests.model()
        func trainer(_ smoothing: Double) -> Trainer {
            Trainer(
                model, loss: .crossEntropy(labelSmoothing: smoothing),
                evaluationLoss: .crossEntropy,
                optimizer: SGD(learningRate: 0), backend: .reference)
        }
        #expect(try trainer(0.3).evaluate(data) == trainer(0).evaluate(data))
        let losses = try [0, 0.3].map {
            try trainer($0).fit(data, .epochs(1), batchSize: 60).epochs[0].trainLoss
        }
        #expect(losses[0] != losses[1])
    }

    /// Notes the weights after every step.
    private final class Recorder: TrainingCallback {
        var weights: [[[Double]]] = []
        override func stepDidEnd(_ session: TrainingSession) {
            weights.append(session.trainer.model.parameters.map { $0.value.elements() })
        }
    }

    private static func averaging(_ model: Module, decay: Double = 0.9) -> Trainer {
        Trainer(
            model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.02), metrics: [.accuracy],
            seed: 3, averageDecay: decay)
    }

    @Test("The average of the weights, with statistics of its own")
    func average() throws {
        let data = try TrainerTests.data()
        let model = TrainerTests.model()
        var expected: [[Double]] = model.parameters.map { $0.value.elements() }
        let recorder = Recorder()
        let history = try Self.averaging(model).fit(
            data, .steps(6), batchSize: 16, validation: data, callbacks: [recorder])
        for (index, weights) in recorder.weights.enumerated() {
            let way = max(0.1, 9 / (10 + Double(index)))
            for (position, values) in weights.enumerated() {
                for element in values.indices {
                    expected[position][element] +=
                        way * (values[element] - expected[position][element])
                }
            }
        }
        for (parameter, values) in zip(model.parameters, expected) {
            for (a, b) in zip(parameter.value.elements(as: Double.self), values) {
                #expect(abs(a - b) < 1e-6)
            }
        }
        // The statistics are those of the averaged first layer over all samples.
        let other = TrainerTests.model()
        for (target, source) in zip(other.parameters, model.parameters) {
            target.value = source.value
        }
        try other.recalibrate(on: data)
        #expect(other.states.map(\.value) == model.states.map(\.value))
        // What the last validation said is what the model now gives.
        let evaluation = try Self.averaging(model).evaluate(data)
        #expect(history.epochs.last?.validation == evaluation)
    }

    @Test("A resumed training has the same average", arguments: [3, 4])
    func resumedAverage(at stop: Int) throws {
        let data = try TrainerTests.data()
        let through = TrainerTests.model(dropout: 0.2)
        try Self.averaging(through).fit(data, .steps(9), batchSize: 16)
        try RunTests.withFolder { folder in
            try Self.averaging(TrainerTests.model(dropout: 0.2)).fit(
                data, .steps(stop), batchSize: 16,
                callbacks: [RunRecorder(folder, interval: .zero)])
            let model = TrainerTests.model(dropout: 0.2)
            let trainer = Self.averaging(model)
            let found = try folder.loadCheckpoint { _ in }
            let checkpoint = try #require(found)
            try checkpoint.restore(trainer, source: folder.checkpoint)
            try trainer.fit(
                data, .steps(9), batchSize: 16,
                callbacks: [RunRecorder(folder, interval: .seconds(100))],
                resuming: checkpoint.progress)
            #expect(model.allValues == through.allValues)
            // The model's file has the average, the checkpoint goes on from the weights themselves.
            let read = TrainerTests.model()
            try read.read(from: folder.model)
            #expect(read.allValues == through.allValues)
            let last = try Checkpoint(contentsOf: folder.checkpoint)
            #expect(last.modelValues["0.weight"] != through.parameters[0].value)
            #expect(last.averageValues["0.weight"] == through.parameters[0].value)
            // Without an average there is no place for it.
            #expect(throws: FileError.self) {
                try last.restore(TrainerTests.trainer(TrainerTests.model()), source: "c")
            }
        }
    }
}

extension Module {
    fileprivate var allValues: [NDArray] { namedVariables.map(\.variable.value) }
}
