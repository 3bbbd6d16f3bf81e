/// Why a file could not be read or written, as a sentence for the person who named it.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a program may want to tell apart.
    public enum Kind: Hashable, Sendable {
        /// There is no such file.
        case notFound
        /// The system refused: permissions, a full disk, a folder in place of a file.
        case system
        /// The bytes are not what the format allows: damaged, cut short, or another format.
        case malformed
        /// The file is valid but holds something this library has no type for.
        case unsupported
        /// The content is larger than the limit the caller set.
        case limitExceeded
    }

    public let path: String
    public let kind: Kind
    /// What was expected and what was found, on one line.
    public let reason: String

    public init(path: String, kind: Kind, reason: String) {
        self.path = path
        self.kind = kind
        self.reason = onOneLine(reason)
    }

    /// `path: reason`, one line.
    public var description: String { "\(onOneLine(path, limit: .max)): \(reason)" }

    public static func malformed(_ path: String, _ reason: String) -> FileError {
        FileError(path: path, kind: .malformed, reason: reason)
    }

    public static func unsupported(_ path: String, _ reason: String) -> FileError {
        FileError(path: path, kind: .unsupported, reason: reason)
    }
}

/// A sentence that may quote from a file, made fit for a terminal: no line breaks or control
/// characters, at most so many characters.
package func onOneLine(_ sentence: String, limit: Int = 500) -> String {
    var result = String.UnicodeScalarView()
    for scalar in sentence.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
        default: result.append(scalar)
        }
    }
    return String(result) + (sentence.unicodeScalars.count > limit ? "..." : "")
}
