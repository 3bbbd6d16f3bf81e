import Arrays

/// A figure of merit of a model over a data set.
public struct Metric: Sendable {
    /// The name in events and tables, such as `accuracy`.
    public let name: String
    /// A fresh count, to be fed batch by batch.
    public let makeAccumulator: @Sendable () -> any MetricAccumulator

    public init(_ name: String, _ makeAccumulator: @escaping @Sendable () -> any MetricAccumulator)
    {
        self.name = name
        self.makeAccumulator = makeAccumulator
    }

    /// The share of samples whose label has the highest output.
    public static let accuracy = topK(1, named: "accuracy")

    /// The share of samples whose label is among the `k` highest outputs.
    public static func topK(_ k: Int) -> Metric { topK(k, named: "top\(k)") }

    private static func topK(_ k: Int, named name: String) -> Metric {
        precondition(k > 0, "top-k needs a positive k, found \(k)")
        return Metric(name) { TopKAccumulator(k: k) }
    }

    /// The mean over classes of the share of what was taken for a class that belongs to it.
    public static let precision = Metric("precision") {
        ConfusionAccumulator { matrix in matrix.average(matrix.precision) }
    }

    /// The mean over classes of the share of a class that was recognized.
    public static let recall = Metric("recall") {
        ConfusionAccumulator { matrix in matrix.average(matrix.recall) }
    }

    /// The mean over classes of the harmonic mean of precision and recall.
    public static let f1 = Metric("f1") {
        ConfusionAccumulator { matrix in matrix.average(matrix.f1) }
    }
}

/// Collects a metric batch by batch.
public protocol MetricAccumulator: Sendable {
    /// Counts a batch: outputs `[samples, classes]` and integer labels `[samples]`.
    mutating func add(outputs: NDArray, labels: NDArray)
    /// The metric over all batches so far; NaN before the first.
    var value: Double { get }
}

/// Counts samples whose label is among the `k` highest outputs. Of equal outputs the first is the highest;
/// NaN is never high.
struct TopKAccumulator: MetricAccumulator {
    let k: Int
    private var hits = 0
    private var total = 0

    init(k: Int) { self.k = k }

    mutating func add(outputs: NDArray, labels: NDArray) {
        for (row, label) in rows(outputs, labels) {
            let score = row[label]
            let higher = row.indices.count { row[$0] > score || (row[$0] == score && $0 < label) }
            if higher < k && !score.isNaN { hits += 1 }
            total += 1
        }
    }

    var value: Double { total == 0 ? .nan : Double(hits) / Double(total) }
}

/// Fills a confusion matrix and takes a figure from it.
public struct ConfusionAccumulator: MetricAccumulator {
    public private(set) var matrix: ConfusionMatrix?
    private let figure: @Sendable (ConfusionMatrix) -> Double

    public init(_ figure: @escaping @Sendable (ConfusionMatrix) -> Double) { self.figure = figure }

    public mutating func add(outputs: NDArray, labels: NDArray) {
        var matrix = matrix ?? ConfusionMatrix(classes: outputs.shape.last ?? 1)
        for (row, label) in rows(outputs, labels) {
            let best = row.indices.max { first, second in
                // Of equal outputs the first is the highest.
                row[first] < row[second] || (row[first] == row[second] && first > second)
            }
            matrix.add(actual: label, predicted: best ?? 0)
        }
        self.matrix = matrix
    }

    public var value: Double { matrix.map(figure) ?? .nan }
}

/// The outputs of each sample with its label. Traps when shapes do not fit or a label is out of range.
private func rows(_ outputs: NDArray, _ labels: NDArray) -> [(
    outputs: ArraySlice<Float>, label: Int
)] {
    precondition(
        outputs.shape.rank == 2 && labels.shape == [outputs.shape[0]],
        "a metric expected outputs [samples, classes] and a label for each sample, found "
            + "\(outputs.shape) and \(labels.shape)")
    let values: [Float] = outputs.elements()
    let classes = outputs.shape[1]
    return labels.elements(as: Int32.self).enumerated().map { sample, label in
        precondition(
            (0..<classes).contains(Int(label)),
            "a label must be in 0..<\(classes), found \(label)")
        let start = sample * classes
        // An array of its own, so that indices are classes.
        return (Array(values[start..<(start + classes)])[...], Int(label))
    }
}
