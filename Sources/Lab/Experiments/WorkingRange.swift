import Foundation
import Training

/// What two experiments share: over which values of a setting a network trains.
package enum WorkingRange {
    /// 1, 3.16, 10 and so on, between powers of ten.
    static func halfDecades(from first: Int, to last: Int) -> [Double] {
        (2 * first...2 * last).map { half in
            let power = pow(10, Double(half) / 2)
            // Two digits are what a label shows.
            let unit = pow(10, (Double(half) / 2).rounded(.down))
            return half % 2 == 0 ? power : 3.2 * unit
        }
    }

    /// Of the best accuracy that any configuration reaches.
    static let share = 0.9

    static func figures(over axis: String) -> [Figure] {
        [
            .sweep(
                "Final test accuracy", "testAccuracy", y: "test accuracy", over: axis,
                lines: Axis.norm),
            .heatMap(
                "Final test accuracy, every configuration", "testAccuracy", label: "test accuracy",
                x: axis, y: Axis.norm),
            .heatMap(
                "Share of seeds that diverged", "diverged", label: "diverged", x: axis,
                y: Axis.norm),
        ]
    }

    /// That the range is wider with batch norm than with nothing.
    ///
    /// A range goes from the smallest to the largest value that works, and half a step of the grid beyond
    /// on both sides, so that a single value has a width too.
    package static func claim(_ text: String, over axis: String) -> Claim {
        .ratio(text, atLeast: 10) { seed in
            let best = seed.outcomes([:]).compactMap { $0.outcome.scalars["testAccuracy"] }.max()
            guard let best else { return nil }
            func width(_ norm: String) -> (width: Double, touchesEnd: Bool)? {
                let points = seed.outcomes([Axis.norm: norm]).compactMap {
                    entry, outcome -> (x: Double, works: Bool)? in
                    guard let x = entry.level(axis).number else { return nil }
                    let accuracy = outcome.scalars["testAccuracy"] ?? 0
                    return (x, accuracy >= share * best)
                }.sorted { $0.x < $1.x }
                let working = points.filter(\.works).map(\.x)
                guard let low = working.first, let high = working.last, points.count > 1 else {
                    return nil
                }
                let step = pow(points.last!.x / points[0].x, 1 / Double(points.count - 1))
                return (high / low * step, low == points[0].x || high == points.last!.x)
            }
            guard let with = width("batch") else {
                return width("none") == nil ? nil : Bounded(1e-3, .atMost)
            }
            // Where nothing works without it, the range is narrower than a step of the grid.
            guard let without = width("none") else { return Bounded(with.width, .atLeast) }
            return Bounded(
                with.width / without.width,
                with.touchesEnd && !without.touchesEnd ? .atLeast : .exact)
        }
    }
}
