import Foundation
import Interchange

/// Writes how a training goes to a file of ``ProgressLine``s, for programs that look on.
///
/// A line is written about twice a second, in a training of many hours every ten seconds: what it costs
/// does not depend on how fast the steps are. While the training runs the file is locked, so that an
/// onlooker can tell a training that runs from one that was killed.
public final class ProgressRecorder: TrainingCallback {
    private let path: String
    private let interval: Duration
    private var lock: FileLock?
    /// Seconds of the sessions before this one.
    private var earlierSeconds = 0.0
    private var began = ContinuousClock.now
    private var mark = Mark()
    private var learningRate: Double?
    private var losses = LossSpan()

    /// Where the present line begins.
    private struct Mark {
        var time = ContinuousClock.now
        var samples = 0
        var seconds = 0.0
    }

    private struct LossSpan {
        var count = 0
        var sum = 0.0
        var lowest = Double.infinity
        var highest = -Double.infinity

        mutating func add(_ loss: Double) {
            (count, sum) = (count + 1, sum + loss)
            (lowest, highest) = (min(lowest, loss), max(highest, loss))
        }
    }

    /// - Parameter interval: between two lines, at least.
    public init(_ path: String, interval: Duration = .milliseconds(500)) {
        self.path = path
        self.interval = interval
    }

    override public func trainingWillBegin(_ session: TrainingSession) throws {
        lock = try FileLock(path)
        earlierSeconds = Self.lastLine(path)?.seconds ?? 0
        (began, mark, losses) = (.now, Mark(), LossSpan())
        try write(session)
    }

    override public func stepWillBegin(_ session: TrainingSession, _ batch: TrainingBatch) {
        learningRate = batch.learningRate
    }

    override public func stepDidEnd(_ session: TrainingSession) throws {
        losses.add(session.lastLoss)
        let now = ContinuousClock.now
        let wait = max(interval, min(interval * 20, (now - began) / 2000))
        if now - mark.time >= wait { try write(session) }
    }

    override public func trainingDidEnd(_ session: TrainingSession, _ history: TrainingHistory)
        throws
    {
        try write(session, ending: ProgressLine.Ending(history.stopReason))
        lock = nil
    }

    private func write(_ session: TrainingSession, ending: ProgressLine.Ending? = nil) throws {
        let seconds = session.trainingSeconds - mark.seconds
        var line = ProgressLine(
            step: session.progress.step, totalSteps: session.totalSteps,
            epoch: max(session.progress.step - 1, 0) / session.stepsPerEpoch + 1,
            seconds: earlierSeconds + session.trainingSeconds,
            time: Date().timeIntervalSince1970)
        if losses.count > 0 {
            line.loss = losses.sum / Double(losses.count)
            (line.lowestLoss, line.highestLoss) = (losses.lowest, losses.highest)
            line.learningRate = learningRate
            if seconds > 0 {
                line.samplesPerSecond = Double(session.trainedSamples - mark.samples) / seconds
            }
        }
        line.ending = ending
        _ = try JSONLines.append(JSONLines.encode(line), to: path, synchronizes: false)
        mark = Mark(samples: session.trainedSamples, seconds: session.trainingSeconds)
        losses = LossSpan()
    }

    private static func lastLine(_ path: String) -> ProgressLine? {
        // Lines have about 200 bytes.
        guard let file = try? InputFile(path),
            let tail = try? file.bytes(max(file.byteCount - 4096, 0)..<file.byteCount)
        else { return nil }
        return tail.split(separator: UInt8(ascii: "\n")).reversed().lazy
            .compactMap { JSONLines.decode($0, as: ProgressLine.self) }.first
    }
}

/// A lock on a file, which the system takes back when the process ends, however it does.
private final class FileLock {
    private let descriptor: Int32

    /// Makes the file if there is none. A file system without locks does without.
    init(_ path: String) throws(FileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw FileError(path: path, kind: .system, reason: "cannot be written")
        }
        // Onlookers hold it for an instant only; whoever holds it longer trains in the same folder.
        for _ in 0..<20 where flock(descriptor, LOCK_EX | LOCK_NB) != 0 { usleep(5000) }
    }

    deinit { close(descriptor) }
}
