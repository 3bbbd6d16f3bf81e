import FileTestSupport
import Foundation
import Interchange
import Testing
import Training

@Suite("What onlookers see of a training")
struct ProgressTests {
    private func fit(
        _ callbacks: [TrainingCallback], steps: Int = 9, resuming: TrainingProgress = .init()
    ) throws -> TrainingHistory {
        let model = TrainerTests.model()
        let trainer = Trainer(model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.02))
        return try trainer.fit(
            try TrainerTests.data(), .steps(steps), batchSize: 16, callbacks: callbacks,
            resuming: resuming)
    }

    private func lines(_ path: String) throws -> [ProgressLine] {
        try JSONLines.read(path, as: ProgressLine.self)
    }

    @Test("Lines tell of each step, and how it ended")
    func everyStep() throws {
        let folder = TemporaryFolder()
        let path = folder.file("progress.jsonl")
        let losses = Losses()
        let history = try fit([losses, ProgressRecorder(path, interval: .zero)])
        let lines = try lines(path)
        #expect(lines.map(\.step) == [0] + Array(1...9) + [9])
        #expect(lines.dropFirst().dropLast().map(\.loss) == losses.seen)
        #expect(lines.allSatisfy { $0.totalSteps == 9 })
        #expect(lines.map(\.ending) == Array(repeating: nil, count: 10) + [.finished])
        #expect(lines[1].learningRate == 0.02)
        #expect(lines.map(\.seconds) == lines.map(\.seconds).sorted())
        #expect(history.progress.step == 9)
    }

    @Test("Between two lines losses are summed up")
    func summedUp() throws {
        let folder = TemporaryFolder()
        let path = folder.file("progress.jsonl")
        let losses = Losses()
        _ = try fit([losses, ProgressRecorder(path, interval: .seconds(3600))])
        let lines = try lines(path)
        #expect(lines.map(\.step) == [0, 9])
        let mean = losses.seen.reduce(0, +) / 9
        #expect(abs(try #require(lines[1].loss) - mean) < 1e-12)
        #expect(lines[1].lowestLoss == losses.seen.min())
        #expect(lines[1].highestLoss == losses.seen.max())
    }

    @Test("Seconds go on where the session before ended; what was done again is forgotten")
    func resumed() throws {
        let folder = TemporaryFolder()
        let run = RunFolder(folder.path)
        _ = try fit([ProgressRecorder(run.progress, interval: .zero)], steps: 6)
        try run.truncateRecords(toStep: 4)
        let before = try lines(run.progress)
        #expect(before.map(\.step) == [0, 1, 2, 3, 4] && before.allSatisfy { $0.ending == nil })
        var progress = TrainingProgress()
        progress.step = 4
        _ = try fit([ProgressRecorder(run.progress, interval: .zero)], resuming: progress)
        let after = try lines(run.progress)
        #expect(after.map(\.step) == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9])
        #expect(after[5].seconds == before[4].seconds)
        #expect(after.map(\.seconds) == after.map(\.seconds).sorted())
    }

    @Test("The file is locked while the training runs, and no longer")
    func locked() throws {
        let folder = TemporaryFolder()
        let path = folder.file("progress.jsonl")
        let watcher = Watcher { isLocked(path) }
        _ = try fit([ProgressRecorder(path), watcher])
        #expect(watcher.seen == Array(repeating: true, count: 9))
        #expect(!isLocked(path))
    }

    @Test("A file asks a training to stop, which then forgets it")
    func stopping() throws {
        let folder = TemporaryFolder()
        let path = folder.file("progress.jsonl")
        // A wish that is older than the training does not count.
        folder.write([], StopRequest.fileName)
        let request = StopRequest(folder: folder.path, interval: .zero)
        var step = 0
        let watcher = Watcher {
            step += 1
            if step == 4 { folder.write([], StopRequest.fileName) }
            return true
        }
        let history = try fit([watcher, StopRequest.Callback(request), ProgressRecorder(path)])
        #expect(history.stopReason == .interrupted)
        #expect(history.progress.step == 4)
        #expect(try lines(path).last?.ending == .interrupted)
        #expect(folder.names == ["progress.jsonl"])
    }

    @Test("The file is not looked for at every step")
    func seldom() {
        let folder = TemporaryFolder()
        let request = StopRequest(folder: folder.path, interval: .seconds(3600))
        #expect(!request.isRequested)
        folder.write([], StopRequest.fileName)
        #expect(!request.isRequested)
        #expect(StopRequest(folder: folder.path).isRequested)
    }
}

private func isLocked(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
}

private final class Losses: TrainingCallback {
    var seen: [Double] = []

    override func stepDidEnd(_ session: TrainingSession) { seen.append(session.lastLoss) }
}

private final class Watcher: TrainingCallback {
    private let look: () -> Bool
    var seen: [Bool] = []

    init(_ look: @escaping () -> Bool) {
        self.look = look
        super.init()
    }

    override func stepDidEnd(_ session: TrainingSession) { seen.append(look()) }
}
