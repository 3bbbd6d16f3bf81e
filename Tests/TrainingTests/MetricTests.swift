import Arrays
import Testing
import Training

@Suite("Metrics")
struct MetricTests {
    static let outputs = NDArray(
        [Float(0.1), 0.7, 0.2, 0.5, 0.3, 0.2, 0.2, 0.2, 0.6, 0.4, 0.4, 0.2], shape: [4, 3])
    static let labels = NDArray([Int32(1), 1, 2, 1])

    func value(_ metric: Metric) -> Double {
        var accumulator = metric.makeAccumulator()
        #expect(accumulator.value.isNaN)
        for rows in [0..<1, 1..<4] {
            accumulator.add(outputs: Self.outputs.rows(rows), labels: Self.labels.rows(rows))
        }
        return accumulator.value
    }

    @Test("Accuracy and top-k; of equal outputs the first counts as higher")
    func accuracy() {
        #expect(value(.accuracy) == 0.5)
        #expect(value(.topK(2)) == 1)
        #expect(Metric.topK(5).name == "top5")
    }

    @Test("Precision, recall and F1 follow from the confusion matrix")
    func confusion() {
        var matrix = ConfusionMatrix(classes: 3)
        for (actual, predicted) in [(1, 1), (1, 0), (2, 2), (1, 0)] {
            matrix.add(actual: actual, predicted: predicted)
        }
        #expect(matrix[actual: 1, predicted: 0] == 2)
        #expect(matrix.accuracy == 0.5)
        #expect([0, 1, 2].map(matrix.precision) == [0, 1, 1])
        #expect([0, 1, 2].map(matrix.recall) == [0, 1.0 / 3, 1])
        #expect(abs(matrix.f1(1) - 0.5) < 1e-15)
        #expect(value(.precision) == matrix.average(matrix.precision))
        #expect(value(.recall) == matrix.average(matrix.recall))
        #expect(value(.f1) == matrix.average(matrix.f1))
    }

    @Test("A model that says NaN is not right")
    func nan() {
        var accumulator = Metric.accuracy.makeAccumulator()
        accumulator.add(
            outputs: NDArray([Float.nan, .nan], shape: [1, 2]), labels: NDArray([Int32(0)]))
        #expect(accumulator.value == 0)
    }
}
