import Arrays
import Datasets
import Graph
import Interchange
import Layers
import Training

/// Writes what happens in a training for TensorBoard.
///
///     let board = try TensorBoardLogger("runs/mine", validation: test)
///     try trainer.fit(
///         train, .epochs(3), batchSize: 128, validation: test,
///         callbacks: [board, StatisticsRecorder { try board.write($0) }])
///
/// Then `tensorboard --logdir runs` shows it, while the training runs too. See <doc:WhatIsWritten> for the tags.
///
/// Where a training is resumed the logger begins a new file in the same folder, as TensorBoard wants it. Put
/// it before callbacks that save the training's state (`RunRecorder`), so that what they have saved has been
/// written. An event that cannot be written ends the training with a `FileError`.
public final class TensorBoardLogger: TrainingCallback {
    /// The folder of the event file.
    public let folder: String
    /// Between values of batches, in steps.
    public let interval: Int
    private let images: Dataset?
    private let validation: Dataset?
    private let configuration: String?
    private var writer: SummaryWriter?
    private var recent = (samples: 0, seconds: 0.0)

    /// Batches are told of every so many steps: often enough for a smooth line, and no cost.
    public static let defaultInterval = 20
    /// So many samples of the validation data the confusion matrix is taken over, at most.
    public static let confusionSamples = 10_000
    /// So many samples are shown, at most.
    public static let shownSamples = 32

    /// - Parameters:
    ///   - images: samples to be shown, where they are not those that are trained on: images in their
    ///     shape, say, of what the model gets as rows of numbers.
    ///   - validation: what the confusion matrix is of; nil for none.
    ///   - configuration: a text to be shown with the run, such as its options.
    public init(
        _ folder: String, interval: Int = TensorBoardLogger.defaultInterval,
        images: Dataset? = nil, validation: Dataset? = nil, configuration: String? = nil
    ) {
        precondition(interval > 0, "expected values every 1 or more steps, found \(interval)")
        self.folder = folder
        self.interval = interval
        (self.images, self.validation, self.configuration) = (images, validation, configuration)
    }

    override public func trainingWillBegin(_ session: TrainingSession) throws {
        let step = session.progress.step
        let writer = try SummaryWriter(folder, resumingAfter: step > 0 ? step : nil)
        self.writer = writer
        recent = (0, 0)
        guard step == 0 else { return }
        if let configuration {
            // Four spaces make it a block of code.
            let lines = configuration.split(separator: "\n", omittingEmptySubsequences: false)
            try writer.text(
                "configuration", lines.map { "    " + $0 }.joined(separator: "\n"), step: 0)
        }
        if let grid = Picture.samples(images ?? session.data, count: Self.shownSamples) {
            try writer.image(
                "samples", grid, step: 0,
                description: "The first samples of the data, before anything is done to them.")
        }
        try parameters(session, writer)
    }

    override public func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) throws {
        guard isDue(session.progress.step + 1, session) else { return }
        try writer?.scalar(
            "learning_rate", batch.learningRate, step: session.progress.step + 1,
            description: "Schedule included.")
    }

    override public func stepDidEnd(_ session: TrainingSession) throws {
        let step = session.progress.step
        guard let writer, isDue(step, session) else { return }
        try writer.scalar(
            "loss/batch", session.lastLoss, step: step,
            description: "The mean loss of one batch, while training.")
        let seconds = session.trainingSeconds - recent.seconds
        if seconds > 0 {
            try writer.scalar(
                "samples_per_second/recent",
                Double(session.trainedSamples - recent.samples) / seconds, step: step,
                description: "Of training alone, since the value before.")
        }
        recent = (session.trainedSamples, session.trainingSeconds)
    }

    private func isDue(_ step: Int, _ session: TrainingSession) -> Bool {
        step == 1 || step % interval == 0 || step == session.totalSteps
    }

    override public func epochDidEnd(_ session: TrainingSession, _ report: EpochReport) throws {
        guard let writer else { return }
        try writer.scalar(
            "loss/train", report.trainLoss, step: report.step,
            description: "The mean loss of the epoch's samples, each as the model was then.")
        if let validation = report.validation {
            try writer.scalar(
                "loss/test", validation.loss, step: report.step,
                description: "Over the validation data, with running statistics.")
            for (name, value) in validation.metrics.sorted(by: { $0.key < $1.key }) {
                try writer.scalar(
                    "\(name)/test", value, step: report.step,
                    description: "Over the validation data, with running statistics.")
            }
        }
        try writer.scalar(
            "samples_per_second/epoch", report.samplesPerSecond, step: report.step,
            description: "Of training alone.")
        try parameters(session, writer)
        try confusion(session, writer)
        try writer.synchronize()
    }

    override public func trainingDidEnd(_ session: TrainingSession, _ history: TrainingHistory)
        throws
    {
        try writer?.synchronize()
        writer = nil
    }

    /// Writes what was seen inside the model: gradients, the layers' outputs, running statistics against
    /// the batch's. For a `StatisticsRecorder`; traps unless a training is on its way.
    public func write(_ statistics: StepStatistics) throws {
        guard let writer else {
            preconditionFailure(
                "statistics come while a training runs: give this logger to it, before the recorder"
            )
        }
        let step = statistics.step
        try writer.scalar("memory/megabytes", Double(statistics.memoryBytes) / 1e6, step: step)
        for parameter in statistics.parameters {
            try writer.scalar(
                "gradient_norm/\(parameter.name)", parameter.gradientNorm, step: step,
                description: "Euclidean, before clipping and weight decay.")
            try writer.scalar("parameter_norm/\(parameter.name)", parameter.norm, step: step)
        }
        for layer in statistics.layers {
            let histogram = Histogram(
                percentiles: layer.percentiles, levels: StepStatistics.percentileLevels,
                mean: layer.mean, deviation: layer.deviation)
            if let histogram {
                try writer.histogram(
                    "outputs/\(layer.name)", histogram, step: step,
                    description:
                        "What the \(layer.kind) gives for a batch, in percent of its outputs.")
            }
        }
        for norm in statistics.norms {
            if !norm.runningMean.isEmpty {
                try writer.scalar(
                    "running_mean_gap/\(norm.name)", norm.meanGap, step: step,
                    description: "How far the running mean is from the batch's, in deviations.")
            }
            try writer.scalar(
                "running_variance_gap/\(norm.name)", norm.varianceGap, step: step,
                description: "The mean of |ln(running variance / batch variance)|.")
        }
    }

    // MARK: - At the end of an epoch

    private func parameters(_ session: TrainingSession, _ writer: SummaryWriter) throws {
        let results = session.results
        for (name, parameter) in session.trainer.model.namedParameters where parameter.isTrainable {
            guard let value = results[name],
                let histogram = Histogram(value.elements(as: Float.self))
            else { continue }
            try writer.histogram("parameters/\(name)", histogram, step: session.progress.step)
        }
    }

    private func confusion(_ session: TrainingSession, _ writer: SummaryWriter) throws {
        guard let validation, let classes = validation.classCount, classes <= Picture.mostClasses
        else { return }
        let count = min(validation.count, Self.confusionSamples)
        let data =
            count < validation.count
            ? validation.subset((0..<count).map { $0 * validation.count / count }) : validation
        // What the training would give if it ended here: with an average of the weights, that.
        let model = session.trainer.model
        let (results, own) = (session.results, model.namedVariables.map { ($0, $0.variable.value) })
        for (named, value) in own { named.variable.value = results[named.name] ?? value }
        defer { for (named, value) in own { named.variable.value = value } }
        let outputs = try session.trainer.predict(data)
        guard let labels = data.labels, outputs.shape == [count, classes] else { return }
        var accumulator = ConfusionAccumulator(\.accuracy)
        accumulator.add(outputs: outputs, labels: labels)
        guard let matrix = accumulator.matrix, let picture = Picture.confusion(matrix) else {
            return
        }
        let names = validation.classNames ?? (0..<classes).map(String.init)
        try writer.image(
            "confusion_matrix", picture, step: session.progress.step,
            description:
                "Rows are what samples are, columns what they are taken for; percent of the "
                + "row. In order: \(names.joined(separator: ", ")).")
    }
}
