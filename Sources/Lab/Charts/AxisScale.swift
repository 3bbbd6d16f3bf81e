import Foundation

/// How numbers become positions along an axis.
package struct AxisScale {
    package enum Kind: String, Codable, Sendable { case linear, logarithmic }

    let kind: Kind
    /// In the numbers' own terms.
    let range: ClosedRange<Double>
    /// Where the marks with numbers stand.
    package let ticks: [Double]

    /// A scale that holds the finite values; a logarithmic one leaves out what is not positive.
    ///
    /// - Parameter endsAtTicks: whether a linear scale goes on to the next round number at both ends.
    package init(
        _ kind: Kind, values: some Sequence<Double>, includes: [Double] = [],
        endsAtTicks: Bool = true
    ) {
        self.kind = kind
        let usable = (Array(values) + includes).filter {
            $0.isFinite && (kind == .linear || $0 > 0)
        }
        let low = usable.min() ?? (kind == .linear ? 0 : 0.1)
        let high = usable.max() ?? 1
        switch kind {
        case .linear:
            let width = high > low ? high - low : max(abs(low), 1) * 0.1
            let step = Self.step(width / 5)
            let start = high > low ? low : low - width / 2
            let end = high > low ? high : high + width / 2
            let first = (start / step).rounded(.down)
            let last = max((end / step).rounded(.up), first + 1)
            range = endsAtTicks ? (first * step)...(last * step) : start...end
            let shown = range
            ticks = (0...Int(last - first)).map { (first + Double($0)) * step }
                .filter { endsAtTicks || shown.contains($0) }
        case .logarithmic:
            let first = Int(log10(low).rounded(.down))
            let last = max(Int(log10(high).rounded(.up)), first + 1)
            // A full decade below the data only where the data begins there.
            let start = max(pow(10, Double(first)), low / 1.5)
            let end = min(pow(10, Double(last)), high * 1.5)
            range = start < end ? start...end : (start / 2)...(start * 2)
            ticks = Self.decades(range)
        }
    }

    /// 0 at the range's start, 1 at its end; nil for what has no place.
    package func position(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        switch kind {
        case .linear:
            return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        case .logarithmic:
            guard value > 0 else { return nil }
            return log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
        }
    }

    /// 1, 2 or 5 times a power of ten, at least `width`.
    private static func step(_ width: Double) -> Double {
        let power = pow(10, log10(width).rounded(.down))
        return [1, 2, 5].map { $0 * power }.first { $0 >= width * 0.999 } ?? 10 * power
    }

    private static func decades(_ range: ClosedRange<Double>) -> [Double] {
        let first = Int(log10(range.lowerBound).rounded(.up))
        let last = Int(log10(range.upperBound).rounded(.down))
        let powers = first <= last ? (first...last).map { pow(10, Double($0)) } : []
        if powers.count > 7 {
            let every = (powers.count + 5) / 6
            return powers.enumerated().filter { $0.offset % every == 0 }.map(\.element)
        }
        guard powers.count < 3 else { return powers }
        return ((first - 1)...(last + 1)).flatMap { power in
            [1, 2, 5].map { $0 * pow(10, Double(power)) }
        }.filter { range.contains($0) }
    }
}
