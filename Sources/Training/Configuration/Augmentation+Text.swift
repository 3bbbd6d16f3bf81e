extension Augmentation {
    /// Reads what an option says: `crop=4,flip,cutout=8,mixup=0.2`, any of these; `crop` is the padding
    /// of a random crop.
    public init(parsing text: String) throws(ConfigurationError) {
        self.init()
        var seen: Set<String> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            let number = pair.count == 2 ? Double(pair[1]) : nil
            let whole = number.flatMap { Int(exactly: $0) }
            guard seen.insert(name).inserted else {
                throw ConfigurationError("augment: '\(name)' is there twice")
            }
            switch (name, pair.count) {
            case ("crop", 2):
                padding = try Self.checked(whole, 1...Int(Int16.max), part)
            case ("flip", 1): flips = true
            case ("cutout", 2): cutout = try Self.checked(whole, 1...Int(Int16.max), part)
            case ("mixup", 2): mixup = try Self.checked(number, 0...1, part)
            default:
                throw ConfigurationError(
                    "augment: expected a list of crop=PIXELS, flip, cutout=PIXELS and mixup=ALPHA, "
                        + "found '\(part)'")
            }
        }
    }

    /// What ``init(parsing:)`` reads.
    public var text: String {
        [
            padding > 0 ? "crop=\(padding)" : nil, flips ? "flip" : nil,
            cutout > 0 ? "cutout=\(cutout)" : nil, mixup > 0 ? "mixup=\(mixup)" : nil,
        ].compactMap { $0 }.joined(separator: ",")
    }

    private static func checked<Value: Comparable>(
        _ value: Value?, _ range: ClosedRange<Value>, _ part: Substring
    ) throws(ConfigurationError) -> Value {
        guard let value, range.contains(value) else {
            throw ConfigurationError(
                "augment: expected a number from \(range.lowerBound) to \(range.upperBound), found "
                    + "'\(part)'")
        }
        return value
    }
}
