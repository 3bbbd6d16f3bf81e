/// What an experiment claims, to be judged by its numbers.
package struct Claim: Sendable {
    /// As it would be said if it held.
    let text: String
    package let judge: @Sendable (Results) -> Verdict
    /// Whether what it is about was measured at all.
    package private(set) var applies: @Sendable (Results) -> Bool = { _ in true }

    init(text: String, judge: @escaping @Sendable (Results) -> Verdict) {
        (self.text, self.judge) = (text, judge)
    }

    /// The claim, where a condition holds.
    func when(_ applies: @escaping @Sendable (Results) -> Bool) -> Claim {
        var result = self
        result.applies = applies
        return result
    }

    /// A ratio of two quantities, one number for each seed, that is to be at least `threshold`.
    static func ratio(
        _ text: String, atLeast threshold: Double,
        _ value: @escaping @Sendable (Results.Seed) -> Bounded?
    ) -> Claim {
        Claim(text: text) { results in
            Verdict(ratios: results.perSeed(value), threshold: threshold)
        }
    }

    /// The same for a ratio that is to be at most `threshold`.
    static func ratio(
        _ text: String, atMost threshold: Double,
        _ value: @escaping @Sendable (Results.Seed) -> Bounded?
    ) -> Claim {
        Claim(text: text) { results in
            Verdict(ratios: results.perSeed(value), threshold: threshold, isUpperLimit: true)
        }
    }

    /// A difference of two quantities, one number for each seed, that is to be above `threshold`.
    static func difference(
        _ text: String, above threshold: Double = 0, unit: String = "",
        _ value: @escaping @Sendable (Results.Seed) -> Double?
    ) -> Claim {
        Claim(text: text) { results in
            Verdict(
                differences: results.perSeed { value($0).map { Bounded($0) } }.map(\.value),
                threshold: threshold, unit: unit)
        }
    }
}

/// What the numbers say of a claim.
public struct Verdict: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable {
        case confirmed
        case notConfirmed = "not confirmed"
        case inconclusive
    }

    public let kind: Kind
    /// The numbers behind it.
    public let evidence: String
    /// One for each seed.
    public let values: [Double]
    public let threshold: Double

    /// Confirmed when the interval of the mean lies beyond the threshold, not confirmed when it lies before,
    /// inconclusive when it holds it or there is no interval.
    private static func kind(_ interval: ClosedRange<Double>?, _ threshold: Double) -> Kind {
        guard let interval else { return .inconclusive }
        if interval.lowerBound >= threshold { return .confirmed }
        return interval.upperBound < threshold ? .notConfirmed : .inconclusive
    }

    package init(ratios: [Bounded], threshold: Double, isUpperLimit: Bool = false) {
        values = ratios.map(\.value)
        self.threshold = threshold
        let limit = isUpperLimit ? "at most" : "at least"
        let wanted = "\(limit) \(NumberText.short(threshold)) was claimed"
        guard let (mean, interval) = Estimate.ofRatios(values) else {
            kind = .inconclusive
            evidence = "there are no ratios to judge by; \(wanted)"
            return
        }
        let bounds = Set(ratios.map(\.kind)).subtracting([.exact])
        var kind =
            isUpperLimit
            ? Self.kind(interval.map { -$0.upperBound ... -$0.lowerBound }, -threshold)
            : Self.kind(interval, threshold)
        // Of a bound only one side is known: what is at least 3 may be more, and is not shown to be less.
        let (low, high): (Kind, Kind) =
            isUpperLimit ? (.confirmed, .notConfirmed) : (.notConfirmed, .confirmed)
        if bounds.contains(.atLeast), kind == low { kind = .inconclusive }
        if bounds.contains(.atMost), kind == high { kind = .inconclusive }
        self.kind = kind
        let prefix =
            bounds == [.atLeast] ? "at least " : bounds == [.atMost] ? "at most " : ""
        evidence =
            "a ratio of \(prefix)\(NumberText.short(mean, digits: 3))"
            + Self.spread(interval, count: values.count) + "; \(wanted)"
    }

    package init(differences: [Double], threshold: Double, unit: String) {
        values = differences
        self.threshold = threshold
        let space = unit.isEmpty ? "" : " \(unit)"
        let wanted = "more than \(NumberText.short(threshold))\(space) was claimed"
        guard let estimate = Estimate(differences) else {
            kind = .inconclusive
            evidence = "there are no numbers to judge by; \(wanted)"
            return
        }
        kind = Self.kind(estimate.interval, threshold)
        evidence =
            "a difference of \(NumberText.short(estimate.mean, digits: 3))\(space)"
            + Self.spread(estimate.interval, count: estimate.count) + "; \(wanted)"
    }

    private static func spread(_ interval: ClosedRange<Double>?, count: Int) -> String {
        guard let interval else { return " (one seed, so its spread is not known)" }
        return " (95 % interval \(NumberText.short(interval.lowerBound, digits: 3)) to "
            + "\(NumberText.short(interval.upperBound, digits: 3)), \(count) seeds)"
    }
}
