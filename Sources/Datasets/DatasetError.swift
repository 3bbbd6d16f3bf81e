import Interchange

/// Why a data set could not be made.
public enum DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One of its files could not be read.
    case file(FileError)
    /// The files or arrays are there but do not fit one another; the sentence says what was
    /// expected and found.
    case inconsistent(String)
    /// The data is not on this machine; the sentence says how to get it.
    case missing(String)

    public var description: String {
        switch self {
        case .file(let error): error.description
        case .inconsistent(let reason), .missing(let reason): onOneLine(reason)
        }
    }
}
