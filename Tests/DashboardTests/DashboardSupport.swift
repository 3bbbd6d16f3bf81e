import Foundation
import Interchange
import Testing
import Training

import Dashboard

/// A folder with folders in it that goes away.
final class RunsFolder: Sendable {
    let path: String
    let confined: ConfinedFolder

    init() throws {
        path = NSTemporaryDirectory() + "evenkeel-dashboard-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        confined = try ConfinedFolder(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, _ name: String) throws {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: file, contents: Data(text.utf8))
    }

    func append(_ text: String, _ name: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path + "/" + name))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path + "/" + name)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: path + "/" + name, withDestinationPath: target)
    }

    /// A run with so many lines of progress.
    func makeRun(_ name: String, steps: Int, ending: ProgressLine.Ending? = .finished) throws {
        try write(RunConfiguration().yaml, "\(name)/config.yaml")
        var text = ""
        for step in 0...steps {
            let loss = step > 0 ? ",\"loss\":\(1 / Double(step))" : ""
            let end = step == steps ? ending.map { ",\"ending\":\"\($0.rawValue)\"" } ?? "" : ""
            text +=
                "{\"step\":\(step),\"totalSteps\":\(steps),\"epoch\":1,"
                + "\"seconds\":\(Double(step) / 10),\"time\":1700000000\(loss)\(end)}\n"
        }
        try write(text, "\(name)/progress.jsonl")
        try write(
            "{\"epoch\":1,\"step\":\(steps),\"trainLoss\":0.5,\"testAccuracy\":0.75,\"seconds\":2}\n",
            "\(name)/metrics.jsonl")
    }
}

/// Holds a file as a training does that writes it.
final class HeldFile {
    private let descriptor: Int32

    init(_ path: String) {
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        precondition(flock(descriptor, LOCK_EX | LOCK_NB) == 0, "\(path) cannot be locked")
    }

    deinit { close(descriptor) }
}
