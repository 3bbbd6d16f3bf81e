import Foundation
import SwiftProtobuf
import Testing

import TensorBoard

/// The events of a file, checksums verified by plain arithmetic; a torn record at the end is left out.
func events(_ path: String) throws -> [Tensorboard_Event] {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var (events, start) = ([Tensorboard_Event](), 0)
    func number(_ place: Int, _ count: Int) -> UInt64 {
        bytes[place..<(place + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    func unmasked(_ place: Int) -> UInt32 {
        let value = UInt32(number(place, 4)) &- 0xA282_EAD8
        return value >> 17 | value << 15
    }
    while start + 12 <= bytes.count {
        let count = Int(number(start, 8))
        #expect(unmasked(start + 8) == CRC32C.checksum(bytes[start..<(start + 8)]))
        let body = start + 12
        guard body + count + 4 <= bytes.count else { break }
        #expect(unmasked(body + count) == CRC32C.checksum(bytes[body..<(body + count)]))
        events.append(try Tensorboard_Event(serializedBytes: Array(bytes[body..<(body + count)])))
        start = body + count + 4
    }
    return events
}

/// The values of a folder's event files, in order.
func values(_ folder: String) throws -> [(step: Int, value: Tensorboard_Summary.Value)] {
    try eventFiles(folder).flatMap { try events($0) }.flatMap { event in
        event.summary.value.map { (Int(event.step), $0) }
    }
}

func eventFiles(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasPrefix("events.out.tfevents.") }.sorted().map { "\(folder)/\($0)" }
}
