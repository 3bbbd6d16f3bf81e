import Arrays
import Datasets
import FileTestSupport
import Graph
import Layers
import Testing
import Training

import TensorBoard

@Suite("A training for TensorBoard")
struct LoggerTests {
    /// 40 images of 4 x 4 in 2 classes, light and dark.
    private func data() throws -> Dataset {
        var generator = PhiloxGenerator(seed: 3)
        let pixels = (0..<(40 * 16)).map { index in
            UInt8.random(in: index / 16 % 2 == 0 ? 0...140 : 110...255, using: &generator)
        }
        return try Dataset(
            features: NDArray(pixels, shape: [40, 4, 4, 1]),
            labels: NDArray((0..<40).map { Int32($0 % 2) }), scale: 1 / 255)
    }

    private func trainer(averageDecay: Double? = nil) -> Trainer {
        let model = Sequential {
            Flatten()
            Dense(16, 6)
            BatchNorm(6)
            ReLU()
            Dense(6, 2)
        }
        model.initialize(seed: 1)
        return Trainer(
            model, loss: .crossEntropy, optimizer: Adam(), metrics: [.accuracy],
            averageDecay: averageDecay)
    }

    @discardableResult
    private func fit(
        _ trainer: Trainer, _ folder: String, epochs: Int,
        resuming progress: TrainingProgress = TrainingProgress()
    ) throws -> TrainingHistory {
        let data = try data()
        let board = TensorBoardLogger(
            folder, interval: 2, validation: data, configuration: "seed: 0")
        return try trainer.fit(
            data, .epochs(epochs), batchSize: 8, validation: data,
            callbacks: [board, StatisticsRecorder(interval: 3) { try board.write($0) }],
            resuming: progress)
    }

    @Test("Scalars are the history's, histograms the model's", arguments: [nil, 0.5])
    func everything(averageDecay: Double?) throws {
        let folder = TemporaryFolder()
        let trainer = trainer(averageDecay: averageDecay)
        let history = try fit(trainer, folder.path, epochs: 3)
        let values = try values(folder.path)
        func found(_ tag: String) -> [(step: Int, value: Tensorboard_Summary.Value)] {
            values.filter { $0.value.tag == tag }
        }
        func scalars(_ tag: String) -> [Float] { found(tag).map(\.value.simpleValue) }
        #expect(found("loss/train").map(\.step) == [5, 10, 15])
        #expect(scalars("loss/train") == history.epochs.map { Float($0.trainLoss) })
        #expect(scalars("loss/test") == history.epochs.map { Float($0.validation!.loss) })
        #expect(
            scalars("accuracy/test")
                == history.epochs.map { Float($0.validation!.metrics["accuracy"]!) })
        #expect(found("loss/batch").map(\.step) == [1, 2, 4, 6, 8, 10, 12, 14, 15])
        #expect(scalars("learning_rate") == [Float](repeating: 0.001, count: 9))
        #expect(found("gradient_norm/1.weight").map(\.step) == [0, 3, 6, 9, 12])
        #expect(scalars("gradient_norm/4.weight").allSatisfy { $0 > 0 })
        #expect(scalars("running_mean_gap/2").count == 5)
        // Before the first step and after each epoch, and each element once.
        let weights = found("parameters/1.weight")
        #expect(weights.map(\.step) == [0, 5, 10, 15])
        #expect(weights.allSatisfy { $0.value.histo.bucket.reduce(0, +) == 96 })
        let last = try #require(trainer.model.namedParameters.first { $0.name == "1.weight" })
        let expected = try #require(Histogram(last.parameter.value.elements(as: Float.self)))
        #expect(weights.last?.value.histo.bucket == expected.counts)
        #expect(found("parameters/2.weight").count == 4)
        let outputs = found("outputs/3")
        #expect(outputs.count == 5 && outputs.allSatisfy { $0.value.histo.min == 0 })
        let matrices = found("confusion_matrix")
        #expect(matrices.map(\.step) == [5, 10, 15])
        #expect(found("samples").map(\.step) == [0])
        #expect(found("configuration").first?.value.tensor.stringVal.count == 1)
        // The matrix is the validated model's: drawn again from it, the same picture.
        var matrix = ConfusionAccumulator(\.accuracy)
        let data = try data()
        matrix.add(outputs: try trainer.predict(data), labels: data.labels!)
        let picture = try #require(Picture.confusion(matrix.matrix!))
        #expect([UInt8](matrices[2].value.image.encodedImageString) == picture.png)
    }

    @Test("A logger changes nothing of what is computed")
    func isPassive() throws {
        let folder = TemporaryFolder()
        let (seen, blind) = (trainer(averageDecay: 0.5), trainer(averageDecay: 0.5))
        try fit(seen, folder.path, epochs: 2)
        let data = try data()
        try blind.fit(data, .epochs(2), batchSize: 8, validation: data)
        #expect(
            seen.model.namedVariables.map(\.variable.value)
                == blind.model.namedVariables.map(\.variable.value))
    }

    @Test("A resumed training goes on in a new file, which voids what is done again")
    func resume() throws {
        let folder = TemporaryFolder()
        let trainer = trainer()
        let first = try fit(trainer, folder.path, epochs: 1)
        try fit(trainer, folder.path, epochs: 2, resuming: first.progress)
        let files = try eventFiles(folder.path)
        #expect(files.count == 2)
        let start = try events(files[1])[1]
        #expect(start.sessionLog.status == .start && start.step == 6)
        // What belongs to the whole run is not repeated.
        let tags = try events(files[1]).flatMap { $0.summary.value.map(\.tag) }
        #expect(!tags.contains("samples") && !tags.contains("configuration"))
        #expect(
            try values(folder.path).filter { $0.value.tag == "loss/train" }.map(\.step) == [5, 10])
    }
}
