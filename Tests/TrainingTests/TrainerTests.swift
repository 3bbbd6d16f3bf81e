import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Trainer")
struct TrainerTests {
    /// Three noisy clouds in four dimensions, as bytes.
    static func data(_ count: Int = 60, seed: UInt64 = 1, poisoned: Int? = nil) throws -> Dataset {
        var values = Philox(key: seed).normal([count, 4]).map { 100 + $0 * 12 }
        for sample in 0..<count { values[sample * 4 + sample % 3] += 60 }
        if let poisoned { values[poisoned * 4] = .nan }
        let array = NDArray(values, shape: [count, 4])
        return try Dataset(
            features: poisoned == nil
                ? array.converted(to: .uint8) : array.converted(to: .float32),
            labels: NDArray((0..<count).map { Int32($0 % 3) }), scale: 1 / 255)
    }

    static func model(dropout: Double = 0) -> Sequential {
        let model = Sequential {
            Dense(4, 8, bias: false)
            BatchNorm(8)
            ReLU()
            Dropout(dropout)
            Dense(8, 3)
        }
        model.initialize(seed: 7)
        return model
    }

    static func trainer(_ model: Module, seed: UInt64 = 3) -> Trainer {
        Trainer(
            model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.02), metrics: [.accuracy],
            seed: seed, backend: .reference)
    }

    @Test("It learns, and says what it did")
    func learns() throws {
        let model = Self.model()
        let history = try Self.trainer(model).fit(
            try Self.data(), .epochs(8), batchSize: 16, validation: try Self.data(30, seed: 2))
        #expect(history.epochs.map(\.epoch) == Array(1...8))
        #expect(history.epochs.map(\.step) == [4, 8, 12, 16, 20, 24, 28, 32])
        let last = try #require(history.epochs.last)
        #expect(last.trainLoss < history.epochs[0].trainLoss * 0.7)
        #expect(try #require(last.validation).metrics["accuracy"]! > 0.9)
        #expect(last.validation?.sampleCount == 30)
        #expect(history.stopReason == .finished)
    }

    @Test("Stopping and going on gives the same bits as going through", arguments: [3, 4, 7])
    func resuming(at stop: Int) throws {
        let data = try Self.data()
        let through = Self.model(dropout: 0.3)
        try Self.trainer(through).fit(data, .steps(10), batchSize: 16)

        let halted = Self.model(dropout: 0.3)
        let first = Self.trainer(halted)
        let history = try first.fit(data, .steps(stop), batchSize: 16)
        let resumed = Self.model(dropout: 0.3)
        let second = Self.trainer(resumed)
        for (a, b) in zip(halted.namedVariables, resumed.namedVariables) {
            b.variable.value = a.variable.value
        }
        let pairs = zip(
            first.optimizer.namedVariables(halted), second.optimizer.namedVariables(resumed))
        for (a, b) in pairs { b.variable.value = a.variable.value }
        let rest = try second.fit(
            data, .steps(10), batchSize: 16, resuming: history.progress)
        #expect(
            resumed.namedVariables.map(\.variable.value)
                == through.namedVariables.map(\.variable.value))
        #expect(rest.epochs.last?.step == 10)
    }

    @Test("A batch that is not finite is skipped with its name and changes nothing")
    func skipped() throws {
        final class Watcher: TrainingCallback {
            var skipped: [(Int, [String])] = []
            var before: [NDArray] = []
            override func stepDidEnd(_ session: TrainingSession) {
                let values = session.trainer.model.namedVariables.map(\.variable.value)
                if skipped.last?.0 == session.progress.step { #expect(values == before) }
                before = values
            }
            override func batchWasSkipped(_ session: TrainingSession, labels: [String]) {
                skipped.append((session.progress.step, labels))
            }
        }
        let watcher = Watcher()
        let history = try Self.trainer(Self.model()).fit(
            try Self.data(poisoned: 20), .epochs(2), batchSize: 16, shuffles: false,
            callbacks: [watcher])
        #expect(watcher.skipped.map(\.0) == [2, 6])
        #expect(watcher.skipped[0].1.contains("1 BatchNorm: batch variance"))
        #expect(history.epochs[1].trainLoss.isFinite)
    }

    @Test("Too many bad batches in a row are an error")
    func hopeless() throws {
        let data = try Dataset(
            features: NDArray(repeating: Float.infinity, shape: [12, 4]),
            labels: NDArray([Int32](repeating: 0, count: 12)), classCount: 3)
        let trainer = Self.trainer(Self.model())
        trainer.maximumBadBatches = 2
        let error = #expect(throws: TrainingError.self) {
            try trainer.fit(data, .epochs(1), batchSize: 3)
        }
        #expect("\(error!)".contains("3 batches in a row were not finite, the last in step 3"))
    }

    @Test("A last batch of one is refused before anything is trained")
    func batchOfOne() throws {
        let model = Self.model()
        let before = model.namedVariables.map(\.variable.value)
        let error = #expect(throws: TrainingError.self) {
            try Self.trainer(model).fit(try Self.data(33), .epochs(1), batchSize: 16)
        }
        #expect("\(error!)".contains("1 BatchNorm: an input of [1, 8] has one value per channel"))
        #expect(model.namedVariables.map(\.variable.value) == before)
        try Self.trainer(model).fit(
            try Self.data(33), .epochs(1), batchSize: 16, dropsLastBatch: true)
    }

    @Test("A step that needs more memory than there is is an error")
    func memory() throws {
        let trainer = Trainer(Self.model(), loss: .crossEntropy, optimizer: Adam())
        let data = try Self.data()
        // The samples alone are too many, or what is made of them.
        for batchSize in [1 << 50, 1 << 40] {
            let error = #expect(throws: TrainingError.self) {
                try trainer.compiledStep(data, batchSize: batchSize)
            }
            #expect("\(error!)".contains("training with \(batchSize) samples in a step needs "))
        }
        #expect(try trainer.compiledStep(data, batchSize: 16).plan != nil)
        try trainer.fit(data, .epochs(1), batchSize: 16)
    }

    @Test("Ghost batches may leave one sample, and may not be single samples")
    func ghostBatches() throws {
        func model(_ size: Int) -> Sequential {
            Sequential {
                Dense(4, 8); GhostBatchNorm(ghostSize: size, 8); Dense(8, 3)
            }
        }
        // Batches of 7 and of 4 samples.
        let history = try Self.trainer(model(3)).fit(try Self.data(60), .epochs(1), batchSize: 7)
        #expect(history.epochs[0].trainLoss.isFinite && history.epochs[0].step == 9)
        let error = #expect(throws: TrainingError.self) {
            try Self.trainer(model(1)).fit(try Self.data(60), .epochs(1), batchSize: 7)
        }
        #expect("\(error!)".contains("1 GhostBatchNorm: an input of [1, 8] has one value"))
    }

    @Test("Early stopping stops, and can give back the best")
    func earlyStopping() throws {
        let model = Self.model()
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: SGD(learningRate: 0), metrics: [.accuracy],
            backend: .reference)
        for (_, state) in model.namedStates where state.name == "running_var" {
            state.value = NDArray(repeating: Float(1), shape: [8])
        }
        model.parameters.forEach { $0.isTrainable = false }
        (model.layers[1] as! BatchNorm).freezeStatistics()
        let stopping = EarlyStopping(monitor: .metric("accuracy"), patience: 2, restoresBest: true)
        let data = try Self.data()
        let history = try trainer.fit(
            data, .epochs(9), batchSize: 16, validation: data, callbacks: [stopping])
        #expect(history.epochs.count == 3)
        #expect(stopping.best?.epoch == 1)
        guard case .earlyStopping = history.stopReason else {
            Issue.record("found \(history.stopReason)")
            return
        }
    }

    @Test("A callback can stop after any step")
    func stops() throws {
        final class Stopper: TrainingCallback {
            override func stepDidEnd(_ session: TrainingSession) {
                if session.progress.step == 2 { session.stop(.interrupted) }
            }
        }
        let history = try Self.trainer(Self.model()).fit(
            try Self.data(), .epochs(2), batchSize: 16, callbacks: [Stopper()])
        #expect(history.stopReason == .interrupted)
        #expect(history.progress.step == 2)
        #expect(history.epochs.isEmpty)
    }

    @Test("Predictions come in order, whatever the batches", arguments: [1, 7, 100])
    func predict(batchSize: Int) throws {
        let model = Self.model()
        let data = try Self.data(20)
        let trainer = Self.trainer(model)
        let outputs = try trainer.predict(data, batchSize: batchSize)
        let all = model(Tensor(data.features).cast(to: .float32) * Double(Float(1) / 255))
        #expect(outputs == all.evaluate(backend: .reference))
        let evaluation = try trainer.evaluate(data, batchSize: batchSize)
        #expect(abs(evaluation.loss - (try trainer.evaluate(data)).loss) < 1e-6)
    }
}
