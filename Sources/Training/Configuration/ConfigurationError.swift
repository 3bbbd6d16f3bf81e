/// Why a description of a model or of a run was refused: where, what was expected, and what was found.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
