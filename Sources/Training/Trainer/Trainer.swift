import Arrays
import Datasets
import Graph
import Layers
import Runtime

/// Trains a model on a data set, the whole step (gathering the batch, forward, backward, update) compiled
/// into one plan.
///
///     let trainer = Trainer(model, loss: .crossEntropy, optimizer: Adam(), metrics: [.accuracy])
///     let history = try trainer.fit(train, .epochs(3), batchSize: 128, validation: test)
///
/// What is computed depends on the model, the data, the options and the seed; never on threads.
public final class Trainer {
    public let model: Module
    public let loss: Loss
    /// What evaluations report.
    public let evaluationLoss: Loss
    public let optimizer: Optimizer
    public let metrics: [Metric]
    /// The factor of the optimizer's learning rate at each step.
    public let schedule: Schedule
    /// Seeds the order of the samples and what layers draw. Initial weights are `Module.initialize`'s.
    public let seed: UInt64
    /// Random changes of the images that are trained on; nil for none.
    public let augmentation: Augmentation?
    /// The average of the weights over the steps, if there is one: then that is what validations
    /// evaluate, what is saved, and what the model holds in the end.
    public let average: WeightAverage?
    /// What training computes with; evaluation is in the parameters' own type.
    public let precision: Precision
    /// How many batches make one step: gradients and batch statistics are those of all their samples as
    /// one batch, bit for bit, because a batch is a row of shards either way.
    ///
    /// Exact batch statistics need every sample's activations before the first gradient, so a step also
    /// takes the memory of that one large batch; accumulation that saves memory by forgetting activations
    /// would compute other statistics (each batch its own). For those, see `GhostBatchNorm`.
    public let accumulate: Int
    public let backend: Backend
    public let workers: Workers
    /// So many batches in a row may be skipped for not being finite; one more is an error.
    public var maximumBadBatches = 10

    private(set) lazy var trainingStep = makeTrainingStep()
    private var trainingScaling: InputScaling?
    private var evaluators: [Evaluator] = []

    /// - Parameters:
    ///   - evaluationLoss: what evaluations report; nil is `loss`. A smoothed loss is for training.
    ///   - averageDecay: the decay of a moving average of the weights, in 0..<1, such as 0.999; nil for none.
    ///   - precision: bfloat16 becomes float32 where the processor would have to emulate it.
    public init(
        _ model: Module, loss: Loss, evaluationLoss: Loss? = nil, optimizer: Optimizer,
        metrics: [Metric] = [], schedule: Schedule = .constant, seed: UInt64 = 0,
        augmentation: Augmentation? = nil, averageDecay: Double? = nil, accumulate: Int = 1,
        precision: Precision = .float32, backend: Backend = .fast, workers: Workers = .shared
    ) {
        self.model = model
        precondition(
            (0..<1).contains(averageDecay ?? 0),
            "the decay of an average of weights must be in 0..<1, found \(averageDecay ?? 0)")
        self.loss = loss
        self.evaluationLoss = evaluationLoss ?? loss
        self.optimizer = optimizer
        self.metrics = metrics
        self.schedule = schedule
        self.seed = seed
        precondition(accumulate > 0, "Trainer: expected batches to accumulate, found \(accumulate)")
        self.augmentation = augmentation
        average = averageDecay.map {
            WeightAverage(model, decay: $0, backend: backend, workers: workers)
        }
        self.precision = precision.supported
        self.accumulate = accumulate
        self.backend = backend
        self.workers = workers
    }

    /// Trains.
    ///
    /// - Parameters:
    ///   - length: how long, resumed steps included.
    ///   - batchSize: samples in a batch; ``accumulate`` batches make a step.
    ///   - shuffles: whether each epoch visits the samples in a random order of its own.
    ///   - dropsLastBatch: whether samples that do not fill a batch at an epoch's end are left out.
    ///   - validation: evaluated after each epoch.
    ///   - progress: where to go on; the variables must hold the values they had there.
    ///
    /// Throws `TrainingError` when model and data do not fit each other or the memory, or too many batches in
    /// a row are not finite, `DatasetError` when the data cannot be cut into batches, and what callbacks throw.
    @discardableResult
    public func fit(
        _ data: Dataset, _ length: TrainingLength, batchSize: Int, shuffles: Bool = true,
        dropsLastBatch: Bool = false, validation: Dataset? = nil,
        callbacks: [TrainingCallback] = [],
        resuming progress: TrainingProgress = TrainingProgress()
    ) throws -> TrainingHistory {
        try check(data, batchSize: batchSize, dropsLastBatch: dropsLastBatch)
        var sampler = try BatchSampler(
            order: EpochOrder(count: data.count, seed: seed, isShuffled: shuffles),
            batchSize: batchSize * accumulate, dropsLast: dropsLastBatch)
        sampler.position = sampler.position(step: progress.step)
        prepare(data)
        try checkMemory(data, samples: min(batchSize * accumulate, data.count))
        data.beginLoading(order: sampler.order.indices(epoch: sampler.position.epoch).map(Int.init))

        let session = TrainingSession(
            trainer: self, data: data, samplesPerStep: min(batchSize * accumulate, data.count),
            stepsPerEpoch: sampler.batchesPerEpoch,
            totalSteps: length.steps(perEpoch: sampler.batchesPerEpoch), progress: progress)
        var history = TrainingHistory()
        var epochStart = (samples: 0, seconds: 0.0)
        for callback in callbacks { try callback.trainingWillBegin(session) }
        while session.progress.step < session.totalSteps, session.stopReason == nil {
            try take(sampler.next(), data, session, callbacks)
            for callback in callbacks { try callback.stepDidEnd(session) }
            let isComplete = session.progress.step % session.stepsPerEpoch == 0
            guard isComplete || session.progress.step == session.totalSteps else { continue }

            let samples = session.trainedSamples - epochStart.samples
            let seconds = session.trainingSeconds - epochStart.seconds
            epochStart = (session.trainedSamples, session.trainingSeconds)
            let validated = try evaluateEpoch(session, data, validation)
            let report = EpochReport(
                epoch: (session.progress.step - 1) / session.stepsPerEpoch + 1,
                step: session.progress.step, trainLoss: session.progress.meanLoss,
                validation: validated,
                samplesPerSecond: seconds > 0 ? Double(samples) / seconds : 0, seconds: seconds,
                isComplete: isComplete)
            if isComplete { (session.progress.lossSum, session.progress.sampleCount) = (0, 0) }
            history.epochs.append(report)
            for callback in callbacks { try callback.epochDidEnd(session, report) }
        }
        history.stopReason = session.stopReason ?? .finished
        history.progress = session.progress
        if average != nil, session.averagedStep != session.progress.step {
            _ = try evaluateEpoch(session, data, nil)
        }
        for callback in callbacks { try callback.trainingDidEnd(session, history) }
        if let values = session.averagedValues {
            for (variable, value) in zip(model.allVariables, values) { variable.value = value }
        }
        return history
    }

    /// Evaluates on the validation data; with an average of the weights, that.
    private func evaluateEpoch(
        _ session: TrainingSession, _ data: Dataset, _ validation: Dataset?
    ) throws -> Evaluation? {
        guard let average else { return try validation.map { try evaluate($0) } }
        return try average.apply(statistics: data, workers: workers) {
            session.averagedValues = model.allVariables.map(\.value)
            session.averagedStep = session.progress.step
            return try validation.map { try evaluate($0) }
        }
    }

    /// The mean loss and the metrics over a data set.
    public func evaluate(_ data: Dataset, batchSize: Int = 500) throws -> Evaluation {
        try evaluator(data).evaluate(data, batchSize: batchSize)
    }

    /// The model's outputs for all samples of a data set, in order, as float32.
    public func predict(_ data: Dataset, batchSize: Int = 500) throws -> NDArray {
        try evaluator(data).predict(data, batchSize: batchSize)
    }

    private func evaluator(_ data: Dataset) throws -> Evaluator {
        if let known = evaluators.first(where: { $0.fits(data) }) { return known }
        let new = Evaluator(
            model, loss: evaluationLoss, metrics: metrics, scaling: InputScaling(data),
            backend: backend, workers: workers)
        evaluators.append(new)
        return new
    }

    /// The mean loss of samples drawn from the data, as one batch without dropout. Traced anew, because
    /// what normalizes may have changed.
    func measureLoss(_ data: Dataset, samples: Int) -> Double {
        let evaluator = Evaluator(
            model, loss: evaluationLoss, metrics: [], scaling: InputScaling(data),
            backend: backend, workers: workers)
        let order = EpochOrder(count: data.count, seed: seed).indices(epoch: 0)
        return evaluator.meanLoss(data, NDArray(Array(order.prefix(samples))))
    }

    // MARK: - One batch

    private func take(
        _ batch: BatchSampler.Batch, _ data: Dataset, _ session: TrainingSession,
        _ callbacks: [TrainingCallback]
    ) throws {
        let indices = readable(batch, data)
        // What damaged files leave of a batch may be too small for the model.
        let isTooSmall =
            indices.elementCount < min(batch.indices.elementCount, 2)
            && (indices.elementCount == 0 || problem(data, samples: 1) != nil)
        guard !isTooSmall else {
            session.progress.step += 1
            session.stepsTaken += 1
            return
        }
        let rate = optimizer.learningRate * schedule.factor(step: session.progress.step)
        var inputs = [
            data.table, data.answerArray, indices,
            NDArray(scalar: Int64(session.progress.step)), NDArray(scalar: rate),
        ]
        if augmentation != nil { inputs.append(NDArray(scalar: Int64(batch.position.epoch))) }
        let announced = TrainingBatch(
            inputs: inputs, count: indices.elementCount, learningRate: rate)
        for callback in callbacks { try callback.stepWillBegin(session, announced) }
        let clock = ContinuousClock()
        var outcome: Step.Outcome?
        let duration = try clock.measure {
            do throws(MemoryError) { outcome = try trainingStep.checkedRun(inputs) } catch {
                throw stepError(error, samples: indices.elementCount)
            }
        }
        session.trainingSeconds += duration / .seconds(1)
        session.trainedSamples += indices.elementCount
        session.progress.step += 1
        session.stepsTaken += 1
        let loss: Double = outcome!.outputs[0].item()
        session.lastLoss = loss
        if outcome!.isCommitted {
            session.progress.lossSum += loss * Double(indices.elementCount)
            session.progress.sampleCount += indices.elementCount
            session.progress.skippedInRow = 0
            average?.update()
            return
        }
        session.progress.skippedInRow += 1
        let labels = outcome!.failedChecks
        for callback in callbacks { try callback.batchWasSkipped(session, labels: labels) }
        if session.progress.skippedInRow > maximumBadBatches {
            throw TrainingError.tooManyBadBatches(
                step: session.progress.step, labels: labels, count: session.progress.skippedInRow)
        }
    }

    /// The samples of a batch that can be read, once they and those they are mixed with are there.
    private func readable(_ batch: BatchSampler.Batch, _ data: Dataset) -> NDArray {
        let indices = data.readable(batch.indices)
        if let alpha = augmentation?.mixup, alpha > 0, data.isLoading {
            let pairs = MixupPartners(seed: seed, alpha: alpha, count: data.count)
            data.require(
                indices.elements(as: Int32.self).map {
                    Int(pairs.draw(epoch: Int64(batch.position.epoch), index: $0).partner)
                })
        }
        return indices
    }

    /// Compiles anew when another data set is scaled in another way.
    private func prepare(_ data: Dataset) {
        if trainingScaling == InputScaling(data) { return }
        trainingScaling = InputScaling(data)
        trainingStep = makeTrainingStep()
    }

    private func makeTrainingStep() -> Step {
        Step(backend: backend, workers: workers) { [unowned self] inputs in
            let mean = meanLoss(inputs)
            mean.requireFinite("loss")
            optimizer.minimize(mean, model, learningRate: inputs[4])
            return [mean]
        }
    }

    /// The mean loss of a batch while training.
    ///
    /// - Parameters:
    ///   - inputs: features, answers, the batch's indices, the step, the learning rate and, with
    ///     augmentation, the epoch.
    ///   - calls: told of the model's modules.
    func meanLoss(_ inputs: [Tensor], calls: CallObserver? = nil) -> Tensor {
        let scaling = trainingScaling ?? InputScaling()
        let indices = inputs[2]
        let augmented = augmentation.map {
            AugmentedBatch(
                inputs[0], indices, epoch: inputs[5], $0, scaling, seed: seed, model.elementType)
        }
        let input = augmented?.input ?? model.gatherInput(inputs[0], indices, scaling)
        var context = Context(.training, seed: seed, step: inputs[3], sampleIndices: indices)
        context.calls = calls
        let output = precision.apply(input) { model($0, context) }
        let losses =
            augmented?.losses(loss, output, inputs[1])
            ?? loss.samplewise(output, inputs[1].gather(indices))
        return losses.mean()
    }

    /// The step for batches of so many samples (``accumulate`` of them), compiled and not run: to look at
    /// its plan. Throws `TrainingError.invalid` where it needs more memory than there is.
    public func compiledStep(_ data: Dataset, batchSize: Int) throws(TrainingError)
        -> any RunnableStep
    {
        try compiledStep(data, samples: batchSize * accumulate)
    }

    /// Compiles the step that a training on the data begins with. Throws `TrainingError.invalid` where it
    /// needs more memory than there is.
    public func prepareStep(_ data: Dataset, batchSize: Int) throws(TrainingError) {
        _ = try compiledStep(data, samples: min(batchSize * accumulate, data.count))
    }

    private func compiledStep(_ data: Dataset, samples: Int) throws(TrainingError)
        -> any RunnableStep
    {
        prepare(data)
        try checkMemory(data, samples: samples)
        var specs = [
            TensorSpec(data.table.shape, data.table.elementType),
            TensorSpec(data.answerArray.shape, data.answerArray.elementType),
            TensorSpec([samples], .int32), TensorSpec([], .int64),
            TensorSpec([], .float64),
        ]
        if augmentation != nil { specs.append(TensorSpec([], .int64)) }
        do { return try trainingStep.prepared(specs) } catch {
            throw stepError(error, samples: samples)
        }
    }

    private func stepError(_ error: MemoryError, samples: Int) -> TrainingError {
        .invalid("\(error.of("training with \(samples) samples in a step"))")
    }

    /// What is needed in any case, before the first step is traced: what the optimizer keeps of the
    /// parameters, and the samples.
    private func checkMemory(_ data: Dataset, samples: Int) throws(TrainingError) {
        if trainingStep.isCompiled { return }
        let numbers =
            Double(model.parameterCount) * Double(optimizer.momentNames.count)
            + Double(samples) * Double(data.featureShape.elementCount)
        let bytes = numbers * Double(model.elementType.byteCount)
        do { try PhysicalMemory.require(bytes, for: "training") } catch {
            throw stepError(error, samples: samples)
        }
    }

    /// Throws `TrainingError.invalid`, as ``fit(_:_:batchSize:shuffles:dropsLastBatch:validation:callbacks:resuming:)``
    /// does before anything is trained, when a batch would be too small for the model.
    public func check(_ data: Dataset, batchSize: Int, dropsLastBatch: Bool = false)
        throws(TrainingError)
    {
        guard batchSize > 0 else {
            throw .invalid("the batch size must be 1 or more, found \(batchSize)")
        }
        let (samples, overflows) = batchSize.multipliedReportingOverflow(by: accumulate)
        guard !overflows else {
            throw .invalid("\(accumulate) batches of \(batchSize) samples are too many for a step")
        }
        try augmentation?.check(data)
        var sizes = [min(samples, data.count)]
        let rest = data.count % samples
        if !dropsLastBatch && rest > 0 { sizes.append(rest) }
        for size in sizes {
            guard let problem = problem(data, samples: size) else { continue }
            throw .invalid("\(problem) (\(data.count) samples in batches of \(samples))")
        }
    }

    /// Why the model cannot be trained on a batch of so many samples; nil when it can.
    private func problem(_ data: Dataset, samples: Int) -> String? {
        var context = Context(.training)
        let diagnosis = Context.Diagnosis()
        context.diagnosis = diagnosis
        _ = model(
            Tensor.zeros(Shape([samples] + data.featureShape), model.elementType), context)
        return diagnosis.problems.first
    }
}

extension Module {
    /// The element type that the model computes in: its first parameter's.
    var elementType: ElementType { parameters.first?.variable.spec.type ?? .float32 }
}

extension Dataset {
    /// Labels or targets.
    var answerArray: NDArray {
        switch answers {
        case .labels(let labels, _): labels
        case .targets(let targets): targets
        }
    }
}
