import Foundation
import Testing
import Training

import Lab

@Suite("Verdicts follow from numbers")
struct VerdictTests {
    @Test("Student's interval")
    func interval() throws {
        // 1, 2, 3: mean 2, deviation 1, t(2) = 4.303.
        let estimate = try #require(Estimate([1, 2, 3]))
        #expect(estimate.mean == 2)
        let interval = try #require(estimate.interval)
        #expect(abs(interval.lowerBound - (2 - 4.303 / 3.0.squareRoot())) < 1e-9)
        #expect(Estimate([5])?.interval == nil)
        #expect(Estimate([]) == nil && Estimate([1, .nan]) == nil)
        // t(40) is 2.021.
        let many = try #require(Estimate((0..<41).map { Double($0 % 2) }))
        let margin = many.interval!.upperBound - many.mean
        let error = (20.0 * 21 / 41 / 40 / 41).squareRoot()
        #expect(abs(margin / error - 2.021) < 2e-3)
    }

    @Test("Differences")
    func differences() {
        func kind(_ values: [Double]) -> Verdict.Kind {
            Verdict(differences: values, threshold: 0, unit: "").kind
        }
        #expect(kind([3, 3.1, 2.9]) == .confirmed)
        #expect(kind([-3, -3.1, -2.9]) == .notConfirmed)
        #expect(kind([-1, 1, 2]) == .inconclusive)
        #expect(kind([3]) == .inconclusive)
        #expect(kind([]) == .inconclusive)
        #expect(kind([1, .infinity]) == .inconclusive)
    }

    @Test("Ratios, and bounds of which one side is known")
    func ratios() {
        func kind(_ values: [Double], _ bound: Bounded.Kind = .exact) -> Verdict.Kind {
            Verdict(ratios: values.map { Bounded($0, bound) }, threshold: 2).kind
        }
        #expect(kind([4, 4.2, 3.9]) == .confirmed)
        #expect(kind([1, 1.1, 0.9]) == .notConfirmed)
        #expect(kind([1, 2, 4]) == .inconclusive)
        #expect(kind([4, 4.2, 3.9], .atLeast) == .confirmed)
        #expect(kind([1, 1.1, 0.9], .atLeast) == .inconclusive)
        #expect(kind([4, 4.2, 3.9], .atMost) == .inconclusive)
        #expect(kind([1, 1.1, 0.9], .atMost) == .notConfirmed)
        #expect(kind([4, -1]) == .inconclusive)
        func upper(_ values: [Double], _ bound: Bounded.Kind = .exact) -> Verdict.Kind {
            let ratios = values.map { Bounded($0, bound) }
            return Verdict(ratios: ratios, threshold: 2, isUpperLimit: true).kind
        }
        #expect(upper([4, 4.2, 3.9]) == .notConfirmed && upper([1, 1.1, 0.9]) == .confirmed)
        #expect(upper([1, 1.1, 0.9], .atLeast) == .inconclusive)
        #expect(upper([4, 4.2, 3.9], .atLeast) == .notConfirmed)
        #expect(upper([4, 4.2, 3.9], .atMost) == .inconclusive)
        let verdict = Verdict(ratios: [Bounded(4, .atLeast), Bounded(4, .atLeast)], threshold: 2)
        #expect(verdict.evidence.contains("at least 4") && verdict.values == [4, 4])
    }

    /// Entries of a range experiment with given accuracies.
    private static func results(_ accuracies: [String: [Double]]) -> Results {
        let grid = Grid(Trial(.perceptron([4]), steps: 1))
            .overNorms([.none, .batch]).over("learning rate", numbers: [0.01, 0.1, 1, 10]) {
                $0.run.learningRate = $1
            }
        return Results(
            entries: grid.configurations.enumerated().map { index, configuration in
                let norm = configuration.level(Axis.norm)!.label
                let outcomes = (0..<3).map { seed -> (Int, Outcome) in
                    var outcome = Outcome()
                    outcome.scalars["testAccuracy"] = accuracies[norm]![index % 4]
                    return (seed, outcome)
                }
                return Results.Entry(
                    configuration: configuration,
                    outcomes: Dictionary(uniqueKeysWithValues: outcomes))
            })
    }

    @Test("Working ranges")
    func ranges() {
        let claim = WorkingRange.claim("wider", over: "learning rate")
        func verdict(_ none: [Double], _ batch: [Double]) -> Verdict {
            claim.judge(Self.results(["none": none, "batch": batch]))
        }
        let wider = verdict([0.1, 0.82, 0.1, 0.1], [0.85, 0.9, 0.9, 0.9])
        #expect(wider.kind == .confirmed && abs(wider.values[0] - 1000) < 1e-6)
        #expect(verdict([0.82, 0.82, 0.82, 0.1], [0.1, 0.82, 0.1, 0.1]).kind == .notConfirmed)
        // Nothing works without it: the range is at least as much wider as it is wide.
        #expect(verdict([0.1, 0.1, 0.1, 0.1], [0.8, 0.8, 0.1, 0.1]).kind == .confirmed)
        #expect(verdict([0.1, 0.82, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]).kind == .notConfirmed)
    }
}
