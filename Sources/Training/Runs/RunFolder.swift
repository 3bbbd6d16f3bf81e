import Foundation
import Interchange

/// The folder of a training run:
///
/// - `config.yaml`: what determines the run,
/// - `metrics.jsonl`: one JSON object per epoch,
/// - `progress.jsonl`: one JSON object about twice a second, a ``ProgressLine``; locked while the run runs,
/// - `statistics.jsonl`: one JSON object per look into the model, a ``StepStatistics``,
/// - `model.safetensors`: parameters and statistics,
/// - `folding.json`: of a folded run, the certificate of its folding,
/// - `events.out.tfevents.*`: for TensorBoard, if asked for,
/// - `checkpoint.safetensors` and `checkpoint.previous.safetensors`: what resuming needs,
/// - `stop`: put there by another program, ends the run; see ``StopRequest``.
public struct RunFolder: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    public var configuration: String { path + "/config.yaml" }
    public var metrics: String { path + "/metrics.jsonl" }
    public var progress: String { path + "/progress.jsonl" }
    public var statistics: String { path + "/statistics.jsonl" }
    public var model: String { path + "/model.safetensors" }
    public var folding: String { path + "/folding.json" }
    public var checkpoint: String { path + "/checkpoint.safetensors" }
    public var previousCheckpoint: String { path + "/checkpoint.previous.safetensors" }

    public var exists: Bool { FileManager.default.fileExists(atPath: configuration) }

    /// Makes the folder and writes the configuration.
    public func create(_ configuration: RunConfiguration) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: path, kind: .system, reason: "the folder cannot be made")
        }
        try AtomicFile.write(configuration.yaml, to: self.configuration)
    }

    /// Removes what an earlier run in this folder left, apart from the configuration.
    public func clear() throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let events = names.filter { $0.hasPrefix("events.out.tfevents.") }.map { "\(path)/\($0)" }
        let files = [
            metrics, progress, statistics, model, folding, checkpoint, previousCheckpoint,
        ]
        for file in files + events
        where FileManager.default.fileExists(atPath: file) {
            do { try FileManager.default.removeItem(atPath: file) } catch {
                throw FileError(path: file, kind: .system, reason: "cannot be removed")
            }
        }
    }

    public func readConfiguration() throws -> RunConfiguration {
        guard let data = FileManager.default.contents(atPath: configuration) else {
            throw FileError(
                path: path, kind: .notFound, reason: "no run here: there is no config.yaml")
        }
        return try RunConfiguration(
            yaml: String(decoding: data, as: UTF8.self), source: configuration)
    }

    // MARK: - Checkpoints

    /// Writes a checkpoint; the last one becomes the previous one. At every moment one of them is whole.
    public func save(_ checkpoint: Checkpoint) throws {
        // The last one is moved only when it is fit to be gone back to.
        if (try? Checkpoint(contentsOf: self.checkpoint)) != nil {
            guard rename(self.checkpoint, previousCheckpoint) == 0 else {
                throw FileError(
                    path: previousCheckpoint, kind: .system, reason: "cannot be replaced")
            }
        }
        try checkpoint.write(to: self.checkpoint)
    }

    /// The newest checkpoint that is whole, nil when there is none at all.
    ///
    /// - Parameter refused: told why a damaged one is passed over.
    public func loadCheckpoint(refused: (String) -> Void) throws -> Checkpoint? {
        var last: FileError?
        for path in [checkpoint, previousCheckpoint] {
            do throws(FileError) {
                return try Checkpoint(contentsOf: path)
            } catch {
                if error.kind == .notFound { continue }
                refused(error.description)
                last = error
            }
        }
        if let last { throw last }
        return nil
    }

    // MARK: - Metrics

    /// Cuts `metrics.jsonl` back to a length.
    public func truncateMetrics(to byteCount: Int) throws {
        let data = FileManager.default.contents(atPath: metrics) ?? Data()
        guard data.count >= byteCount else {
            throw FileError.malformed(
                metrics, "expected at least \(byteCount) bytes, found \(data.count)")
        }
        if data.count > byteCount {
            try AtomicFile.write(Array(data.prefix(byteCount)), to: metrics)
        }
    }

    /// Appends a line and brings it to disk; returns the file's length.
    public func appendMetrics(_ line: String) throws -> Int {
        try JSONLines.append(line, to: metrics, synchronizes: true)
    }

    // MARK: - Statistics

    /// Appends what was seen inside the model. It is on disk when the system sees fit: a line that a crash
    /// tears is left out by readers.
    public func append(_ statistics: StepStatistics) throws {
        _ = try JSONLines.append(
            JSONLines.encode(statistics), to: self.statistics, synchronizes: false)
    }

    /// What was seen inside the model, torn lines left out; empty when nothing was recorded.
    public func readStatistics() throws(FileError) -> [StepStatistics] {
        do throws(FileError) {
            return try JSONLines.read(statistics, as: StepStatistics.self)
        } catch {
            if error.kind == .notFound { return [] }
            throw error
        }
    }

    /// Removes what was written of steps after one, for a run that goes on from there, and torn lines.
    public func truncateRecords(toStep step: Int) throws {
        let kept = try readStatistics().filter { $0.step < step }
        try rewrite(statistics, kept)
        var lines: [ProgressLine] = []
        do throws(FileError) {
            lines = try JSONLines.read(progress, as: ProgressLine.self)
        } catch {
            guard error.kind == .notFound else { throw error }
        }
        lines.removeAll { $0.step > step }
        for index in lines.indices { lines[index].ending = nil }
        try rewrite(progress, lines)
    }

    private func rewrite<Line: Encodable>(_ path: String, _ lines: [Line]) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try AtomicFile.write(lines.map { JSONLines.encode($0) + "\n" }.joined(), to: path)
    }
}
