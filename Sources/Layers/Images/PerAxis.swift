/// One number for all spatial axes, or one for each: `3` or `[3, 5]`.
public struct PerAxis: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    public let values: [Int]

    public init(_ values: [Int]) { self.values = values }
    public init(_ value: Int) { values = [value] }
    public init(integerLiteral value: Int) { values = [value] }
    public init(arrayLiteral elements: Int...) { values = elements }

    /// One number for each of `rank` axes. Traps where there is neither one nor one for each.
    func expanded(_ rank: Int, _ layer: String, _ what: String, atLeast least: Int) -> [Int] {
        let result = values.count == 1 ? Array(repeating: values[0], count: rank) : values
        precondition(
            result.count == rank && result.allSatisfy { $0 >= least },
            "\(layer): expected \(what) of at least \(least), one or one for each of \(rank) axes, "
                + "found \(values)")
        return result
    }
}
