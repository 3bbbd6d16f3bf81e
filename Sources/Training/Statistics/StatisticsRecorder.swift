import Foundation

/// Looks into the model every so many steps of a training, and passes on what it sees.
///
/// A look costs about as much as a training step, and a plan with memory of its own; the training gives
/// the same bits with and without it.
public final class StatisticsRecorder: TrainingCallback {
    /// A look every so many steps costs a few hundredths of the time, with small networks too.
    public static let defaultInterval = 100

    public let interval: Int
    private let receive: (StepStatistics) throws -> Void
    private var observer: StepObserver?
    private var largestBatch = 0
    private var isDue = false
    /// Where the throughput is counted from.
    private var mark = (samples: 0, seconds: 0.0)

    /// - Parameters:
    ///   - interval: a look before the first step and after every so many; at least 1.
    ///   - receive: told what was seen.
    public init(
        interval: Int = StatisticsRecorder.defaultInterval,
        _ receive: @escaping (StepStatistics) throws -> Void
    ) {
        precondition(interval > 0, "expected a look every 1 or more steps, found \(interval)")
        self.interval = interval
        self.receive = receive
    }

    /// Keeps what is seen in a run folder.
    public convenience init(
        _ folder: RunFolder, interval: Int = StatisticsRecorder.defaultInterval
    ) {
        self.init(interval: interval) { try folder.append($0) }
    }

    override public func trainingWillBegin(_ session: TrainingSession) {
        observer = StepObserver(session.trainer)
        (largestBatch, isDue, mark) = (0, false, (0, 0))
    }

    override public func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) throws {
        let step = session.progress.step
        if step % interval == 0 { isDue = true }
        largestBatch = max(largestBatch, batch.count)
        // The smaller batch at an epoch's end would need a plan of its own; the next one will do.
        guard isDue, batch.count == largestBatch, let observer else { return }
        isDue = false
        var statistics = try observer.observe(batch)
        statistics.step = step
        statistics.epoch = session.epoch
        let seconds = session.trainingSeconds - mark.seconds
        if seconds > 0 {
            statistics.samplesPerSecond = Double(session.trainedSamples - mark.samples) / seconds
        }
        mark = (session.trainedSamples, session.trainingSeconds)
        statistics.memoryBytes = ProcessMemory.residentBytes
        try receive(statistics)
    }
}
