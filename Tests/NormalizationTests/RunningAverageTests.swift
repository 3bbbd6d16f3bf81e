import Normalization
import Testing

@Suite("Running averages")
struct RunningAverageTests {
    let values = [4.0, 2, 8, 6]
    let counts = [10.0, 10, 10, 2]

    @Test("PyTorch's and Keras's momentum are two names of one average")
    func conventions() {
        #expect(RunningAverage.pytorch(momentum: 0.25) == .keras(momentum: 0.75))
        let sequence = RunningAverage.pytorch(momentum: 0.25).sequence(
            initial: 0, values: values, counts: counts)
        #expect(sequence[0] == 1)
        #expect(sequence[1] == 1.25)
    }

    @Test("A cumulative average is the mean of all batches, or of all values")
    func cumulative() {
        let plain = RunningAverage.cumulative.sequence(initial: 99, values: values, counts: counts)
        #expect(abs(plain[3] - 5) < 1e-12)
        let weighted = RunningAverage.cumulative(weightedByCount: true).sequence(
            initial: 99, values: values, counts: counts)
        #expect(abs(weighted[3] - (40.0 + 20 + 80 + 12) / 32) < 1e-12)
    }

    @Test("A sliding average forgets")
    func sliding() {
        let average = RunningAverage.sliding(window: 2)
        let sequence = average.sequence(initial: 99, values: values, counts: counts)
        #expect(sequence == [4, 3, 5, 7])
    }

    @Test("A debiased average starts at the first batch and is Adam's corrected moment")
    func debiased() {
        let sequence = RunningAverage.exponential(weight: 0.1, debiased: true).sequence(
            initial: 99, values: values, counts: counts)
        var moment = 0.0
        var remaining = 1.0
        for (value, average) in zip(values, sequence) {
            moment = 0.9 * moment + 0.1 * value
            remaining *= 0.9
            #expect(abs(average - moment / (1 - remaining)) < 1e-12)
        }
    }

    @Test("Weighting by count changes nothing while counts are equal, and tames a small batch")
    func countWeighted() {
        let plain = RunningAverage.exponential(weight: 0.1)
        let weighted = RunningAverage.exponential(weight: 0.1, weightedByCount: true)
        let a = plain.sequence(initial: 1, values: values, counts: counts)
        let b = weighted.sequence(initial: 1, values: values, counts: counts)
        for index in 0..<3 { #expect(abs(a[index] - b[index]) < 1e-12) }
        #expect(abs(b[3] - b[2]) < 0.25 * abs(a[3] - a[2]))
    }
}
