import Datasets

extension ImageFolder.Size {
    /// The largest extent that a configuration can ask for.
    private static let maximum = 1 << 14

    /// Reads what an option says: `HEIGHTxWIDTH`, or one number for both.
    public init(parsing text: String) throws(ConfigurationError) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        let extents = parts.compactMap { Int($0) }.filter { (1...Self.maximum).contains($0) }
        guard (1...2).contains(parts.count), extents.count == parts.count else {
            throw ConfigurationError(
                "imageSize: expected HEIGHTxWIDTH or one number, of 1 to \(Self.maximum) pixels, found "
                    + "'\(text)'")
        }
        self.init(height: extents[0], width: extents[extents.count - 1])
    }

    /// What ``init(parsing:)`` reads.
    public var text: String { "\(height)x\(width)" }
}
