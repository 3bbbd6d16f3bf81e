import Foundation
import Interchange

/// Files of one JSON object a line, which grow while a program runs and may end in the middle of a line.
///
/// Numbers that are not finite are the texts `NaN`, `Infinity` and `-Infinity`, which JSON has no numbers
/// for.
public enum JSONLines {
    /// Larger files are refused.
    public static let maximumByteCount = 1 << 30

    /// A value as one line, without the line's end.
    public static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
            preconditionFailure("plain values must have a JSON form: \(error)")
        }
    }

    /// A value of a line; nil when it is torn or of another kind.
    public static func decode<Value: Decodable>(_ line: some Sequence<UInt8>, as type: Value.Type)
        -> Value?
    {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try? decoder.decode(type, from: Data(line))
    }

    /// The lines of a file; those that are torn or of another kind are left out.
    public static func read<Value: Decodable>(_ path: String, as type: Value.Type)
        throws(FileError) -> [Value]
    {
        try InputFile(path).bytes(limit: maximumByteCount)
            .split(separator: UInt8(ascii: "\n"))
            .compactMap { decode($0, as: type) }
    }

    /// Appends a line; returns the file's length.
    ///
    /// - Parameter synchronizes: whether the line is on disk when this returns.
    public static func append(_ line: String, to path: String, synchronizes: Bool)
        throws(FileError) -> Int
    {
        let file = try AppendingFile(path)
        let byteCount = try file.append(Array((line + "\n").utf8))
        if synchronizes { try file.synchronize() }
        return byteCount
    }
}
