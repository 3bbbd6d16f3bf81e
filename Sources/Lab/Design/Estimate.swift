import Foundation

/// A mean over seeds, and the interval that holds the true mean with 95 % confidence (Student's t).
package struct Estimate: Hashable, Sendable {
    package let mean: Double
    /// Nil when there are fewer than two values.
    package let interval: ClosedRange<Double>?
    let count: Int

    package init?(_ values: [Double]) {
        guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
        count = values.count
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        guard values.count > 1 else {
            interval = nil
            return
        }
        let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let margin = Self.quantile(values.count - 1) * (square / Double(values.count)).squareRoot()
        interval = (mean - margin)...(mean + margin)
    }

    /// Of the logarithms: the geometric mean and its interval. Nil unless all values are positive.
    static func ofRatios(_ values: [Double]) -> (mean: Double, interval: ClosedRange<Double>?)? {
        guard values.allSatisfy({ $0 > 0 }), let logs = Estimate(values.map { log($0) }) else {
            return nil
        }
        return (exp(logs.mean), logs.interval.map { exp($0.lowerBound)...exp($0.upperBound) })
    }

    /// The 97.5th percentile of Student's distribution.
    private static func quantile(_ degrees: Int) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
            2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
        ]
        // Beyond the table the expansion around the normal distribution is right to three digits.
        let normal = 1.95996
        return degrees <= table.count
            ? table[degrees - 1]
            : normal + (normal * normal * normal + normal) / (4 * Double(degrees))
    }
}
