import Datasets
import FileTestSupport
import Foundation
import Interchange
import Testing

import TensorBoard

@Suite("Event files")
struct EventFileTests {
    @Test("The checksum is the one of RFC 3720, section B.4")
    func checksum() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
        #expect(CRC32C.checksum((0..<32).reversed()) == 0x113F_DB5C)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test("What is written is read back, from names in order of time")
    func roundTrip() throws {
        let folder = TemporaryFolder()
        let histogram = try #require(Histogram([1, 2, 2.5, 4]))
        let picture = Picture([1, 2, 3, 4, 5, 6], width: 2, height: 1, channels: 3)
        for index in 0..<3 {
            let writer = try SummaryWriter(folder.path, resumingAfter: index > 0 ? index : nil)
            try writer.scalar("a/b", 0.5, step: 7, description: "*half*")
            try writer.histogram("h", histogram, step: 8)
            try writer.image("i", picture, step: 9)
            try writer.text("t", "x", step: 1 << 40)
            try writer.synchronize()
            #expect(try eventFiles(folder.path).last == writer.path)
        }
        #expect(folder.names.count == 3)
        for (index, file) in try eventFiles(folder.path).enumerated() {
            var found = try events(file)
            #expect(found.removeFirst().fileVersion == "brain.Event:2")
            if index > 0 {
                let start = found.removeFirst()
                #expect(start.sessionLog.status == .start && start.step == index + 1)
            }
            #expect(found.map(\.step) == [7, 8, 9, 1 << 40])
            #expect(found.allSatisfy { abs($0.wallTime - Date().timeIntervalSince1970) < 600 })
            let values = found.map(\.summary.value[0])
            #expect(values.map(\.tag) == ["a/b", "h", "i", "t"])
            #expect(values[0].simpleValue == 0.5)
            #expect(values[0].metadata.summaryDescription == "*half*")
            #expect(values[1].histo.bucketLimit == histogram.limits)
            #expect(values[1].histo.bucket == histogram.counts)
            #expect([UInt8](values[2].image.encodedImageString) == picture.png)
            #expect(values[2].image.width == 2 && values[2].image.height == 1)
            #expect(values[3].tensor.stringVal == [Data("x".utf8)])
        }
    }

    @Test("A torn record takes nothing else with it")
    func torn() throws {
        let folder = TemporaryFolder()
        let writer = try SummaryWriter(folder.path)
        for step in 0..<5 { try writer.scalar("x", Double(step), step: step) }
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: writer.path)))
        for cut in 1..<30 {
            folder.write(Array(bytes.dropLast(cut)), "events.out.tfevents.0.torn")
            let count = try events(folder.file("events.out.tfevents.0.torn")).count
            #expect((4...5).contains(count))
        }
    }

    @Test("What cannot be written is an error")
    func failures() {
        let folder = TemporaryFolder()
        let file = folder.write([1], "file")
        #expect(failure { () throws(FileError) in try SummaryWriter(file) }?.kind == .system)
        #expect(failure { () throws(FileError) in try SummaryWriter(file + "/in") } != nil)
    }
}
