import ArgumentParser
import EvenKeel
import Foundation
import TensorBoard

/// One training from its configuration to its results: what `train` and `demo` share.
struct TrainingRun {
    var configuration: RunConfiguration
    let folder: RunFolder
    let workers: Workers
    let console: Console
    /// The file that the configuration is from, if any.
    var source: String?
    /// Begins every line, to tell several trainings apart.
    var prefix = ""
    /// Between looks into the layers, in steps; 0 for none.
    var statisticsInterval = 0
    /// Whether the folder gets an event file.
    var writesTensorBoard = false

    struct Result {
        var history: TrainingHistory
        var test: Evaluation
        var train: Evaluation
        var steps: Int
        /// How many images of the data could not be read.
        var skippedImages: Int
        var samplesPerSecond: Double
        /// Seconds of training alone.
        var seconds: Double
        /// The first step at whose check the goal of a demo was reached.
        var stepsToGoal: Int?
    }

    /// - Parameters:
    ///   - imageSize: what images of a folder are brought to.
    ///   - concludes: whether the caller is going to say how many images are left out, once they have been
    ///     decoded.
    static func load(_ data: String, imageSize: ImageFolder.Size? = nil, concludes: Bool = false)
        throws -> Dataset.Parts
    {
        if data == "fashion-mnist" {
            let (train, test) = try Dataset.fashionMNIST()
            let parts = Dataset.Parts(train: train, test: test)
            if let imageSize { try parts.require(imageSize, of: data) }
            return parts
        }
        let parts = try Dataset.parts(folder: data, imageSize: imageSize)
        SkippedImages.warn(of: parts.skipped)
        if !concludes { SkippedImages.summarize(parts) }
        return parts
    }

    /// Trains, or goes on where the folder's checkpoint is. Nil when it was interrupted (and saved).
    func execute(resumes: Bool, callbacks: [TrainingCallback] = []) throws -> Result? {
        guard !configuration.isFolded else {
            throw ValidationError("a folded model is for inference; train the run it was made from")
        }
        // Anchors of a file of layers are written out, which may be longer than what is read back.
        _ = try RunConfiguration(yaml: configuration.yaml, source: folder.configuration)
        let parts = try Self.load(
            configuration.data, imageSize: configuration.imageSize, concludes: true)
        var run = self
        run.configuration.normalization = try configuration.normalization.resolved(parts.train)
        return try run.execute(parts, resumes: resumes, callbacks)
    }

    private func execute(
        _ parts: Dataset.Parts, resumes: Bool, _ callbacks: [TrainingCallback]
    ) throws -> Result? {
        let checkpoint = resumes ? try loadCheckpoint() : nil
        if let before = checkpoint?.dataForm, before != parts.form {
            throw DatasetError.inconsistent(
                "\(configuration.data): the data has changed since the run's checkpoint: there were "
                    + "\(before), now there are \(parts.form); bring it back, or train anew")
        }
        let train = try configuration.prepare(parts.train, source: source)
        let test = try configuration.prepare(parts.test, source: source)
        let model = try configuration.makeModel(train)
        try checkOutputs(model, train)
        let trainer = try makeTrainer(model, samples: train.count)
        do {
            try trainer.check(
                train, batchSize: configuration.batchSize,
                dropsLastBatch: configuration.dropsLastBatch)
        } catch { throw ValidationError(error.description) }
        // Compiled before the folder is touched, because it may need more memory than there is.
        try trainer.prepareStep(train, batchSize: configuration.batchSize)

        var progress = TrainingProgress()
        var metricsByteCount = 0
        if let checkpoint {
            try checkpoint.restore(trainer, source: folder.checkpoint)
            try folder.truncateMetrics(to: checkpoint.metricsByteCount)
            try folder.truncateRecords(toStep: checkpoint.progress.step)
            progress = checkpoint.progress
            metricsByteCount = checkpoint.metricsByteCount
        } else {
            try folder.clear()
        }
        try folder.create(configuration)
        let session = SessionWatcher()
        let board =
            writesTensorBoard
            ? TensorBoardLogger(
                folder.path, images: parts.train, validation: test,
                configuration: configuration.yaml)
            : nil
        let statistics = StatisticsRecorder(interval: max(statisticsInterval, 1)) { [folder] in
            try folder.append($0)
            try board?.write($0)
        }
        announce(model, train, test, from: progress)
        let history = try trainer.fit(
            train, configuration.length, batchSize: configuration.batchSize,
            dropsLastBatch: configuration.dropsLastBatch, validation: test,
            // What is seen is written before a checkpoint says that it was.
            callbacks: [board, statisticsInterval > 0 ? statistics : nil].compactMap { $0 } + [
                ProgressPrinter(console.human, prefix: prefix), EventPrinter(console),
                RunRecorder(folder, dataForm: parts.form, metricsByteCount: metricsByteCount),
                TrainingDoctor { [console, prefix] warning in
                    Console.writeError("\(prefix)warning: \(warning)")
                    console.event(JSONObject(event: "warning", [("text", .text(warning))]))
                },
                Interruption.Callback(),
                StopRequest.Callback(StopRequest(folder: folder.path)),
                ProgressRecorder(folder.progress), session,
            ] + callbacks, resuming: progress)
        if history.stopReason == .interrupted {
            SkippedImages.conclude(parts)
            console.say(
                "\(prefix)interrupted after step \(history.progress.step); saved in \(folder.path)")
            console.event(
                JSONObject(
                    event: "interrupted",
                    [
                        ("step", .integer(history.progress.step)),
                        ("skippedImages", .integer(parts.unreadable.count)),
                    ]))
            return nil
        }
        let evaluations = (test: try trainer.evaluate(test), train: try trainer.evaluate(train))
        SkippedImages.conclude(parts)
        return Result(
            history: history, test: evaluations.test, train: evaluations.train,
            steps: history.progress.step, skippedImages: parts.unreadable.count,
            samplesPerSecond: session.seconds > 0 ? Double(session.samples) / session.seconds : 0,
            seconds: session.seconds)
    }

    func makeTrainer(_ model: Module, samples: Int) throws -> Trainer {
        let perEpoch =
            configuration.dropsLastBatch
            ? samples / configuration.samplesPerStep
            : (samples - 1) / configuration.samplesPerStep + 1
        let total = configuration.length.steps(perEpoch: perEpoch)
        let trainer = Trainer(
            model, loss: configuration.loss, evaluationLoss: .crossEntropy,
            optimizer: configuration.makeOptimizer(), metrics: [.accuracy],
            schedule: try configuration.makeSchedule(totalSteps: total), seed: configuration.seed,
            augmentation: configuration.augmentation, averageDecay: configuration.averageDecay,
            accumulate: configuration.accumulate, precision: configuration.precision,
            workers: workers)
        if trainer.precision != configuration.precision {
            Console.writeError(
                "warning: this processor has no instructions for \(configuration.precision); "
                    + "training in \(trainer.precision)")
        }
        trainer.maximumBadBatches = configuration.maximumBadBatches
        return trainer
    }

    private func loadCheckpoint() throws -> Checkpoint? {
        let checkpoint: Checkpoint?
        do {
            checkpoint = try folder.loadCheckpoint { reason in
                Console.writeError("warning: \(reason); looking for the previous checkpoint")
            }
        } catch let error as FileError where error.kind == .malformed {
            throw FileError.malformed(
                folder.path,
                "neither checkpoint is whole, so this run cannot go on; train anew with another "
                    + "--output (or --overwrite). model.safetensors still holds the model as it was "
                    + "after the last epoch: `evenkeel evaluate` tells whether it can be used")
        }
        if let checkpoint {
            console.say("\(prefix)resuming after step \(checkpoint.progress.step)")
        } else {
            console.say("\(prefix)no checkpoint yet: starting from the beginning")
        }
        return checkpoint
    }

    private func announce(
        _ model: Module, _ train: Dataset, _ test: Dataset, from progress: TrainingProgress
    ) {
        console.say(
            "\(prefix)\(model.parameterCount) parameters, \(train.count) samples to train on, "
                + "\(test.count) to test, \(workers.count) threads; run folder \(folder.path)")
        console.event(
            JSONObject(
                event: "start",
                [
                    ("run", .text(folder.path)), ("parameters", .integer(model.parameterCount)),
                    ("trainSamples", .integer(train.count)),
                    ("testSamples", .integer(test.count)),
                    ("batchSize", .integer(configuration.batchSize)),
                    ("accumulate", .integer(configuration.accumulate)),
                    ("step", .integer(progress.step)), ("threads", .integer(workers.count)),
                ]))
    }
}

extension RunConfiguration {
    /// The data as the model takes it.
    ///
    /// - Parameter source: the file that asks for a normalization, which an error is to name.
    func prepare(_ data: Dataset, source: String?) throws -> Dataset {
        do {
            return try prepare(data)
        } catch {
            guard let source else { throw error }
            throw ConfigurationError("\(source): normalize: \(error)")
        }
    }
}

/// Refuses a model whose outputs are not one number per class.
func checkOutputs(_ model: Module, _ data: Dataset) throws {
    let output = model(Tensor.zeros(Shape([2] + data.featureShape)))
    guard let classes = data.classCount, output.shape != [2, classes] else { return }
    throw ConfigurationError(
        "the data has \(classes) classes, but the model's output for a sample has the shape "
            + "\(Shape(Array(output.shape.dropFirst()))); end with a dense layer of \(classes)")
}

/// Keeps the counts of a session beyond its end.
private final class SessionWatcher: TrainingCallback {
    var samples = 0
    var seconds = 0.0

    override func stepDidEnd(_ session: TrainingSession) {
        samples = session.trainedSamples
        seconds = session.trainingSeconds
    }
}

/// Prints `--json` events.
private final class EventPrinter: TrainingCallback {
    private let console: Console

    init(_ console: Console) {
        self.console = console
        super.init()
    }

    override func batchWasSkipped(_ session: TrainingSession, labels: [String]) {
        console.event(
            JSONObject(
                event: "skipped",
                [
                    ("step", .integer(session.progress.step)),
                    ("notFinite", .list(labels.map { .text($0) })),
                ]))
    }

    override func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) {
        console.event(
            JSONObject(
                event: "epoch",
                [
                    ("epoch", .integer(report.epoch)), ("trainLoss", .number(report.trainLoss)),
                    ("testLoss", .number(report.validation?.loss ?? .nan)),
                    ("testAccuracy", .number(report.validation?.metrics["accuracy"] ?? .nan)),
                    ("samplesPerSecond", .number(report.samplesPerSecond)),
                    ("step", .integer(report.step)), ("seconds", .number(report.seconds)),
                ]))
    }
}
