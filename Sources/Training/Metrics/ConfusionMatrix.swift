import Arrays

/// How often samples of each class were taken for each class.
///
/// Precision, recall and F1 follow from it; a class of which nothing is known gives 0 there.
public struct ConfusionMatrix: Hashable, Sendable {
    public let classes: Int
    /// `[actual * classes + predicted]`
    public private(set) var counts: [Int]

    public init(classes: Int) {
        precondition(classes > 0, "a confusion matrix needs classes, found \(classes)")
        self.classes = classes
        counts = [Int](repeating: 0, count: classes * classes)
    }

    /// Counts one sample. Traps unless both classes are in range.
    public mutating func add(actual: Int, predicted: Int) {
        precondition(
            (0..<classes).contains(actual) && (0..<classes).contains(predicted),
            "classes must be in 0..<\(classes), found actual \(actual) and predicted \(predicted)")
        counts[actual * classes + predicted] += 1
    }

    public subscript(actual actual: Int, predicted predicted: Int) -> Int {
        counts[actual * classes + predicted]
    }

    public var total: Int { counts.reduce(0, +) }

    /// The share of samples taken for what they are.
    public var accuracy: Double {
        ratio((0..<classes).reduce(0) { $0 + self[actual: $1, predicted: $1] }, total)
    }

    /// Of what was taken for a class, the share that belongs to it.
    public func precision(_ label: Int) -> Double {
        let taken = (0..<classes).reduce(0) { $0 + self[actual: $1, predicted: label] }
        return ratio(self[actual: label, predicted: label], taken)
    }

    /// Of what belongs to a class, the share that was taken for it.
    public func recall(_ label: Int) -> Double {
        let belonging = (0..<classes).reduce(0) { $0 + self[actual: label, predicted: $1] }
        return ratio(self[actual: label, predicted: label], belonging)
    }

    /// The harmonic mean of precision and recall.
    public func f1(_ label: Int) -> Double {
        let (p, r) = (precision(label), recall(label))
        return p + r == 0 ? 0 : 2 * p * r / (p + r)
    }

    /// The mean over classes.
    public func average(_ score: (Int) -> Double) -> Double {
        (0..<classes).reduce(0) { $0 + score($1) } / Double(classes)
    }

    private func ratio(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 0 : Double(part) / Double(whole)
    }
}
