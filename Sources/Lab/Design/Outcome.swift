/// What a trial gave.
public struct Outcome: Codable, Hashable, Sendable {
    /// Single numbers by name.
    public var scalars: [String: Double] = [:]
    /// Numbers over steps, layers and so on, by name.
    public var series: [String: Series] = [:]

    public struct Series: Codable, Hashable, Sendable {
        public var x: [Double] = []
        public var y: [Double] = []

        public init() {}

        mutating func append(_ x: Double, _ y: Double) {
            self.x.append(x)
            self.y.append(y)
        }
    }

    public init() {}

    /// The first x at which a series reaches a value.
    func first(_ name: String, reaching goal: Double) -> Double? {
        guard let series = series[name] else { return nil }
        return zip(series.x, series.y).first { $0.1 >= goal }?.0
    }
}
