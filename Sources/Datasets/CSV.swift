import Arrays
import Interchange

/// Tables of numbers in text files with separated values, plain or gzip.
public enum CSV {
    /// One column of a table.
    public enum Column: Sendable, Hashable {
        /// By its name in the header.
        case named(String)
        /// By its place, counted from 0; -1 is the last column.
        case index(Int)
    }

    /// Whether the first line holds names.
    public enum Header: Sendable, Hashable {
        /// It does when it holds anything but numbers, or when a column is asked for by name.
        case automatic
        case present
        case absent
    }

    /// What a file held.
    public struct Table: Sendable {
        /// Of the columns of `values`; empty when the file has no header.
        public let columnNames: [String]
        /// Float `[rows, columns]`, without the text column.
        public let values: NDArray
        /// The column that was read as text; empty when none was.
        public let texts: [String]
    }

    /// Reads a table.
    ///
    /// - Parameters:
    ///   - textColumn: A column to keep as text, for class labels.
    ///   - limit: The largest size of the text in bytes, after decompression; less where the machine's
    ///     memory has no room for it and its numbers.
    ///
    /// Throws, with the number of the line, when rows have different lengths, a field is not a
    /// number, or quotes do not match; and when there is no row or no such column.
    public static func read(
        _ path: String, header: Header = .automatic, textColumn: Column? = nil,
        separator: Character = ",", limit: Int = 4 << 30
    ) throws(FileError) -> Table {
        guard let separator = separator.asciiValue, !#""0123456789+-."#.utf8.contains(separator)
        else {
            preconditionFailure(
                "a separator must be one ASCII character that is no part of a number")
        }
        // A digit and a separator become a number of four bytes, which is copied once.
        let limit = min(limit, MemoryBudget.byteCount / 6)
        var reader = CSVReader(
            try ByteStream(path).bytes(limit: limit), separator: separator, path: path)
        guard try reader.next() else { throw .malformed(path, "the file holds no rows") }

        let width = reader.fieldCount
        let hasHeader = isHeader(reader, header, textColumn)
        var names = hasHeader ? (0..<width).map { reader.text($0) } : []
        var textIndex: Int?
        if let textColumn {
            textIndex = try index(of: textColumn, names: names, width: width, path: path)
        }

        var numbers: [Float] = []
        var texts: [String] = []
        var rows = 0
        var isDone = hasHeader ? !(try reader.next()) : false
        while !isDone {
            guard reader.fieldCount == width else {
                throw reader.malformed("expected \(width) fields, found \(reader.fieldCount)")
            }
            for column in 0..<width {
                if column == textIndex {
                    texts.append(reader.text(column))
                } else if let number = number(reader.field(column)) {
                    numbers.append(number)
                } else {
                    let name = hasHeader ? " (\(shortened(names[column])))" : ""
                    throw reader.malformed(
                        "expected a number in column \(column + 1)\(name), found "
                            + shortened(reader.text(column)))
                }
            }
            rows += 1
            isDone = !(try reader.next())
        }
        guard rows > 0 else { throw .malformed(path, "the file holds a header but no rows") }
        if let textIndex, hasHeader { names.remove(at: textIndex) }
        return Table(
            columnNames: names,
            values: NDArray(numbers, shape: [rows, width - (textIndex == nil ? 0 : 1)]),
            texts: texts)
    }

    private static func isHeader(_ reader: CSVReader, _ header: Header, _ textColumn: Column?)
        -> Bool
    {
        switch header {
        case .present: return true
        case .absent: return false
        case .automatic: break
        }
        var textIndex = -1
        switch textColumn {
        case .named: return true
        case .index(let index): textIndex = index < 0 ? index + reader.fieldCount : index
        case nil: break
        }
        return (0..<reader.fieldCount).contains {
            $0 != textIndex && number(reader.field($0)) == nil
        }
    }

    private static func index(of column: Column, names: [String], width: Int, path: String)
        throws(FileError) -> Int
    {
        switch column {
        case .named(let name):
            let matches = names.indices.filter { names[$0] == name }
            guard matches.count == 1 else {
                let found =
                    names.isEmpty
                    ? "a file without a header" : "'" + names.joined(separator: "', '") + "'"
                throw .malformed(
                    path, "expected one column named '\(name)', found " + shortened(found))
            }
            return matches[0]
        case .index(let index):
            guard index >= -width && index < width else {
                throw .malformed(path, "expected a column \(index), found \(width) columns")
            }
            return index < 0 ? index + width : index
        }
    }

    /// A number in decimal notation, `nan` or `inf`.
    private static func number(_ field: ArraySlice<UInt8>) -> Float? {
        // Most tables hold short integers; those need no general parser.
        if !field.isEmpty, field.count <= 15, field.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            return Float(field.reduce(0) { $0 * 10 + Int($1) - 0x30 })
        }
        return Float(String(decoding: field, as: UTF8.self))
    }

    /// Text from a file as it may stand in a message: not too long.
    private static func shortened(_ text: String) -> String {
        "'" + text.prefix(60) + (text.count > 60 ? "...'" : "'")
    }
}
