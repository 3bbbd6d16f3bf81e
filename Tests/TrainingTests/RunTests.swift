import Arrays
import Foundation
import Graph
import Interchange
import Layers
import Testing
import Training

@Suite("Runs that survive")
struct RunTests {
    /// A folder of its own for each test.
    static func withFolder(_ body: (RunFolder) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "evenkeel-run-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = RunFolder(path)
        try folder.create(RunConfiguration())
        try body(folder)
    }

    /// The step of the checkpoint that would be resumed from, and why others were refused.
    static func load(_ folder: RunFolder) throws -> (step: Int?, refused: [String]) {
        var refused: [String] = []
        let checkpoint = try folder.loadCheckpoint { refused.append($0) }
        return (checkpoint?.progress.step, refused)
    }

    static func trained(_ steps: Int) throws -> (Trainer, TrainingHistory) {
        let trainer = TrainerTests.trainer(TrainerTests.model(dropout: 0.2))
        let history = try trainer.fit(try TrainerTests.data(), .steps(steps), batchSize: 16)
        return (trainer, history)
    }

    @Test("A killed run goes on from files to the same bits", arguments: [2, 4, 5])
    func resume(at stop: Int) throws {
        try Self.withFolder { folder in
            let (through, _) = try Self.trained(9)
            let data = try TrainerTests.data()
            let first = TrainerTests.trainer(TrainerTests.model(dropout: 0.2))
            try first.fit(
                data, .steps(stop), batchSize: 16,
                callbacks: [RunRecorder(folder, interval: .zero)])
            // What a killed process wrote after its last checkpoint.
            let kept = try String(contentsOfFile: folder.metrics, encoding: .utf8)
            _ = try folder.appendMetrics("{\"epoch\":99}")

            let model = TrainerTests.model(dropout: 0.2)
            let resumed = TrainerTests.trainer(model)
            let found = try folder.loadCheckpoint { _ in }
            let checkpoint = try #require(found)
            try checkpoint.restore(resumed, source: folder.checkpoint)
            try folder.truncateMetrics(to: checkpoint.metricsByteCount)
            #expect(try String(contentsOfFile: folder.metrics, encoding: .utf8) == kept)
            try resumed.fit(
                data, .steps(9), batchSize: 16,
                callbacks: [RunRecorder(folder, metricsByteCount: checkpoint.metricsByteCount)],
                resuming: checkpoint.progress)
            #expect(
                model.namedVariables.map(\.variable.value)
                    == through.model.namedVariables.map(\.variable.value))
            let read = TrainerTests.model()
            try read.read(from: folder.model)
            #expect(read.parameters.map(\.value) == model.parameters.map(\.value))
        }
    }

    @Test("Damage anywhere in a checkpoint is noticed, and the previous one is used")
    func damage() throws {
        try Self.withFolder { folder in
            let (trainer, history) = try Self.trained(3)
            let checkpoint = Checkpoint(trainer, progress: history.progress, metricsByteCount: 0)
            try folder.save(checkpoint)
            var later = checkpoint
            later.progress.step = 4
            try folder.save(later)
            #expect(try Self.load(folder).step == 4)

            let whole = try Data(contentsOf: URL(filePath: folder.checkpoint))
            let positions = stride(from: 0, to: whole.count, by: max(1, whole.count / 150))
            for position in positions {
                var damaged = whole
                damaged[position] ^= 0x10
                try damaged.write(to: URL(filePath: folder.checkpoint))
                let found = try Self.load(folder)
                #expect(found.step == 3 && found.refused.count == 1, "byte \(position)")
            }
            try whole.prefix(whole.count / 2).write(to: URL(filePath: folder.checkpoint))
            #expect(try Self.load(folder).step == 3)
            // A damaged checkpoint does not push out the whole one.
            try folder.save(later)
            try whole.prefix(40).write(to: URL(filePath: folder.checkpoint))
            #expect(try Self.load(folder).step == 3)
            try whole.prefix(40).write(to: URL(filePath: folder.previousCheckpoint))
            #expect(throws: FileError.self) { try Self.load(folder) }
        }
    }

    @Test("A checkpoint of another model is refused and changes nothing")
    func mismatch() throws {
        let (trainer, history) = try Self.trained(2)
        let checkpoint = Checkpoint(trainer, progress: history.progress, metricsByteCount: 0)
        let other = Sequential { Dense(4, 8, bias: false) }
        other.initialize(seed: 1)
        let before = other.parameters.map(\.value)
        #expect(throws: FileError.self) {
            try checkpoint.restore(TrainerTests.trainer(other), source: "c")
        }
        #expect(other.parameters.map(\.value) == before)
    }

    @Test("The model's file has the names of the layers and the same bytes every time")
    func modelFile() throws {
        try Self.withFolder { folder in
            let (trainer, _) = try Self.trained(2)
            try trainer.model.write(to: folder.model)
            let file = try Safetensors(contentsOf: folder.model)
            #expect(
                file.names == [
                    "0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean",
                    "1.running_var", "1.weight", "4.bias", "4.weight",
                ])
            let first = try Data(contentsOf: URL(filePath: folder.model))
            try trainer.model.write(to: folder.model)
            #expect(try Data(contentsOf: URL(filePath: folder.model)) == first)
        }
    }
}
