import Foundation
import Interchange
import SwiftProtobuf

/// An event file that grows: each event is handed to the system as soon as it is appended, so that a
/// TensorBoard that is looking sees it, and a crash of the program loses none.
///
/// The file is a sequence of records: a length of 8 bytes, its masked ``CRC32C``, that many bytes of an
/// event, and their masked checksum; all numbers little-endian. A record that a power cut tears ends the
/// file for its readers, which is why a program that goes on begins a new one.
final class EventFile {
    /// How the names of event files begin; TensorBoard reads those of a folder in the order of their names.
    static let namePrefix = "events.out.tfevents."

    private let file: AppendingFile

    /// Makes a new file in a folder, and the folder where there is none.
    init(folder: String) throws(FileError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(path: folder, kind: .system, reason: "the folder cannot be made")
        }
        file = try Self.create(folder)
        var version = Tensorboard_Event()
        version.fileVersion = "brain.Event:2"
        try append(version)
    }

    var path: String { file.path }

    /// Named by the second and the machine; a second of its own, so that names are in order of time.
    private static func create(_ folder: String) throws(FileError) -> AppendingFile {
        let host = ProcessInfo.processInfo.hostName.map {
            $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" || $0 == "." ? $0 : "-"
        }
        var second = Int(Date().timeIntervalSince1970)
        let known = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in known where name.hasPrefix(namePrefix) {
            let other = Int(name.dropFirst(namePrefix.count).prefix { $0.isNumber }) ?? 0
            // A clock that was set back by far is not followed.
            if other >= second, other - second < 3600 { second = other + 1 }
        }
        while true {
            let path = "\(folder)/\(namePrefix)\(second).\(String(host))"
            if let file = try AppendingFile(creating: path) { return file }
            second += 1
        }
    }

    /// Appends an event that happens now.
    func append(_ event: Tensorboard_Event) throws(FileError) {
        var event = event
        event.wallTime = Date().timeIntervalSince1970
        do {
            try file.append(Self.record(try event.serializedBytes()))
        } catch let error as FileError {
            throw error
        } catch {
            // Only more than 2 GiB have no serialized form, and values are bounded.
            preconditionFailure("an event must have a serialized form: \(error)")
        }
    }

    /// Waits until everything lies on the disk.
    func synchronize() throws(FileError) { try file.synchronize() }

    /// The bytes as a record.
    static func record(_ bytes: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(bytes.count))
        return length + littleEndian(CRC32C.masked(length)) + bytes
            + littleEndian(CRC32C.masked(bytes))
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
