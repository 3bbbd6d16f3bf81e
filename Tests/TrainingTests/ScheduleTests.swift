import Testing
import Training

@Suite("Schedules")
struct ScheduleTests {
    struct File: Decodable {
        struct Case: Decodable {
            var schedule: String
            var base: Double
            var options: [String: Fixtures.Option]
            var rates: [Double]
        }
        var cases: [Case]
    }

    static func make(_ test: File.Case) -> Schedule {
        func number(_ key: String) -> Double { test.options[key]!.number }
        func steps(_ key: String = "steps") -> Int { Int(number(key)) }
        switch test.schedule {
        case "constant": return .constant
        case "step": return .step(every: steps("every"), factor: number("factor"))
        case "multiStep":
            return .multiStep(
                at: test.options["at"]!.list.map { Int($0) }, factor: number("factor"))
        case "cosine": return .cosine(steps: steps(), minimum: number("minimum") / test.base)
        case "linearWarmup":
            return .warmup(steps: steps(), startFactor: number("startFactor"))
        case "linearWarmupThenCosine":
            return .warmup(
                steps: steps("warmup"), startFactor: number("startFactor"),
                then: .cosine(steps: steps(), minimum: number("minimum") / test.base))
        default:
            return .oneCycle(
                steps: steps(), warmup: number("warmup"), divisor: number("divisor"),
                finalDivisor: number("finalDivisor"))
        }
    }

    @Test("Learning rates are PyTorch's", arguments: 0..<9)
    func rates(index: Int) throws {
        let cases = try Fixtures.read("schedules", as: File.self).cases
        try #require(cases.count == 9)
        let test = cases[index]
        let schedule = Self.make(test)
        for (step, expected) in test.rates.enumerated() {
            #expect(abs(test.base * schedule.factor(step: step) - expected) <= 1e-12)
        }
    }
}
