import Arrays
import Foundation
import Testing

import Dashboard

@Suite("Reading files that grow")
struct LineTailTests {
    /// A tail with all that it told.
    private struct Reader {
        var tail = LineTail()
        var lines: [String] = []
        var restarts = 0

        @discardableResult
        mutating func read(_ folder: RunsFolder, budget: Int = .max) throws -> Bool {
            let file = try #require(folder.confined.file("file"))
            var (tail, lines, restarts) = (tail, lines, restarts)
            let hasMore = tail.read(
                file, budget: budget,
                restart: {
                    lines = []
                    restarts += 1
                }, line: { lines.append(String(decoding: $0, as: UTF8.self)) })
            (self.tail, self.lines, self.restarts) = (tail, lines, restarts)
            return hasMore
        }
    }

    @Test("In whatever portions a file grows, each line comes once", arguments: 0..<8)
    func portions(seed: UInt64) throws {
        let folder = try RunsFolder()
        var generator = PhiloxGenerator(seed: seed)
        let lines = (0..<60).map {
            "line \($0) " + String(repeating: "x", count: Int(generator.next() % 40))
        }
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        try folder.write("", "file")
        var reader = Reader()
        var start = 0
        while start < bytes.count {
            let end = min(start + 1 + Int(generator.next() % 90), bytes.count)
            try folder.append(String(decoding: bytes[start..<end], as: UTF8.self), "file")
            start = end
            try reader.read(folder)
            // All whole lines, and no part of another.
            let whole = bytes[..<start].split(separator: 10, omittingEmptySubsequences: false)
                .dropLast()
            #expect(reader.lines == whole.map { String(decoding: $0, as: UTF8.self) })
        }
        #expect(reader.lines == lines)
        #expect(reader.restarts == 0)
    }

    @Test("A torn line waits for its end")
    func torn() throws {
        let folder = try RunsFolder()
        try folder.write("one\ntw", "file")
        var reader = Reader()
        try reader.read(folder)
        #expect(reader.lines == ["one"])
        try folder.append("o\nthree", "file")
        try reader.read(folder)
        #expect(reader.lines == ["one", "two"])
    }

    @Test("A file that shrinks is read anew", arguments: ["", "x\n", "one\n", "one\ntw"])
    func shrunk(rest: String) throws {
        let folder = try RunsFolder()
        try folder.write("one\ntwo\n", "file")
        var reader = Reader()
        try reader.read(folder)
        truncate(folder.path + "/file", 0)
        try folder.append(rest, "file")
        try reader.read(folder)
        #expect(reader.restarts == 1)
        #expect(
            reader.lines
                == rest.split(separator: "\n").filter { rest.contains("\($0)\n") }.map(String.init))
    }

    @Test("A file written anew is noticed, also when it is longer, and when it is as long")
    func rewritten() throws {
        let folder = try RunsFolder()
        for (index, next) in ["other\nlines\nand more\n", "thr\nfou\n"].enumerated() {
            try folder.write("one\ntwo\n", "file")
            var reader = Reader()
            try reader.read(folder)
            // In place, and as a new file.
            if index == 0 { try folder.remove("file") }
            usleep(20_000)
            try folder.write(next, "file")
            try reader.read(folder)
            #expect(reader.restarts == 1)
            #expect(reader.lines == next.split(separator: "\n").map(String.init))
        }
    }

    @Test("A budget divides the work, not the lines")
    func budget() throws {
        let folder = try RunsFolder()
        let lines = (0..<5000).map { "this is line number \($0) of a long file" }
        try folder.write(lines.joined(separator: "\n") + "\n", "file")
        var reader = Reader()
        var rounds = 1
        while try reader.read(folder, budget: 1000) { rounds += 1 }
        #expect(reader.lines == lines)
        let hasMore = try reader.read(folder)
        #expect(!hasMore)
        #expect(rounds > 1 && reader.restarts == 0)
    }

    @Test("A line too long to be one is left out, and the next one read")
    func long() throws {
        let folder = try RunsFolder()
        let long = String(repeating: "y", count: LineTail.maximumLineLength * 2 + 77)
        let fits = String(repeating: "z", count: 600_000)
        try folder.write("a\n\(long)\nb\n\(fits)\nc\n", "file")
        var reader = Reader()
        try reader.read(folder)
        #expect(reader.lines == ["a", "b", fits, "c"])
    }
}

@Suite("Numbers of a line")
struct FlatObjectTests {
    private func members(_ text: String) -> [String: Double]? {
        var object = FlatObject()
        let bytes = Array((text + "\n").utf8)
        return bytes.withUnsafeBytes { buffer in
            let line = UnsafeRawBufferPointer(rebasing: buffer.dropLast())
            guard object.read(line) else { return nil }
            return Dictionary(
                object.members.map { (String(decoding: line[$0.key], as: UTF8.self), $0.value) },
                uniquingKeysWith: { $1 })
        }
    }

    @Test("Numbers are read, all else is passed over")
    func numbers() {
        #expect(members("{}") == [:])
        #expect(
            members(" { \"a\" : 1 , \"b\":-2.5e-3,\"c\":null,\"d\":\"x,}\",\"e\":true } ") == [
                "a": 1, "b": -0.0025,
            ])
        #expect(
            members("{\"a\":\"Infinity\",\"b\":\"-Infinity\",\"c\":\"\\\"\\\\\",\"d\":7}") == [
                "a": .infinity, "b": -.infinity, "d": 7,
            ])
        #expect(members("{\"a\":\"NaN\"}")?["a"]?.isNaN == true)
    }

    @Test(
        "Torn lines and others are refused",
        arguments: [
            "", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1}{\"b\":2}",
            "[1]",
            "{\"a\":[1]}", "{\"a\":{\"b\":1}}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":\"x}",
            "{\"a\":-}",
            "{a:1}", "{\"a\":1}}", "{\"a\":1 2}", "{\"a\\\":1}",
        ])
    func refused(text: String) {
        #expect(members(text) == nil)
    }

    @Test("Every beginning of a line is refused, and nothing behind its end is read")
    func beginnings() {
        let line = "{\"step\":120,\"loss\":0.25,\"note\":\"a \\\"b\\\"\",\"learningRate\":1e-3}"
        for length in 0..<line.count { #expect(members(String(line.prefix(length))) == nil) }
        #expect(members(line) == ["step": 120, "loss": 0.25, "learningRate": 1e-3])
    }
}
