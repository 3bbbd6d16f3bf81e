import Interchange

/// Cuts the bytes of a CSV file into records (RFC 4180): quoted fields may hold separators, line
/// breaks and doubled quotes; lines end in LF or CRLF; blank lines are skipped.
struct CSVReader {
    private let bytes: [UInt8]
    private let separator: UInt8
    private let path: String
    private var position = 0
    private var nextLine = 1

    /// The line on which the current record begins, counted from 1.
    private(set) var line = 0
    /// The fields of the current record, one after the other.
    private var content: [UInt8] = []
    /// Where each field ends in `content`.
    private var ends: [Int] = []

    init(_ bytes: [UInt8], separator: UInt8, path: String) {
        self.bytes = bytes
        self.separator = separator
        self.path = path
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    var fieldCount: Int { ends.count }

    /// A field of the current record, without quotes and the blanks around it.
    func field(_ index: Int) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var field = content[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
        while let first = field.first, isBlank(first) { field.removeFirst() }
        while let last = field.last, isBlank(last) { field.removeLast() }
        return field
    }

    func text(_ index: Int) -> String { String(decoding: field(index), as: UTF8.self) }

    func malformed(_ reason: String) -> FileError {
        .malformed(path, "line \(line): \(reason)")
    }

    /// Reads the next record. Returns false at the end of the file.
    mutating func next() throws(FileError) -> Bool {
        while position < bytes.count {
            line = nextLine
            content.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            let start = position
            while try readField() {}
            if ends.count > 1 || bytes[start..<position].contains(where: { $0 > 0x20 }) {
                return true
            }
        }
        return false
    }

    /// Reads a field and what ends it. Returns whether another field of the record follows.
    private mutating func readField() throws(FileError) -> Bool {
        if position < bytes.count && bytes[position] == UInt8(ascii: "\"") {
            try readQuoted()
        } else {
            while position < bytes.count, !isEnd(bytes[position]) {
                if bytes[position] == UInt8(ascii: "\"") {
                    throw malformed("a quote inside a field that does not begin with one")
                }
                content.append(bytes[position])
                position += 1
            }
        }
        ends.append(content.count)
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case separator:
            position += 1
            return true
        case 0x0D:
            position += 1
            if position < bytes.count && bytes[position] == 0x0A { position += 1 }
        case 0x0A:
            position += 1
        default:
            throw malformed("a quoted field goes on after its closing quote")
        }
        nextLine += 1
        return false
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        byte == separator || byte == 0x0A || byte == 0x0D
    }

    private mutating func readQuoted() throws(FileError) {
        position += 1
        while true {
            guard position < bytes.count else { throw malformed("a quoted field does not end") }
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return }
                position += 1
            } else if byte == 0x0A {
                nextLine += 1
            }
            content.append(byte)
        }
    }
}
