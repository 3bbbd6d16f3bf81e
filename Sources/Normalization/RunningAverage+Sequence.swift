import Arrays

extension RunningAverage {
    /// The average after each of a sequence of batches: the definition that layers are tested against.
    ///
    /// - Parameters:
    ///   - initial: the value before the first batch.
    ///   - values: one value per batch.
    ///   - counts: the number of values that each batch's value stands for.
    public func sequence(initial: Double, values: [Double], counts: [Double]) -> [Double] {
        precondition(
            values.count == counts.count, "\(values.count) values but \(counts.count) counts")
        let shares = isWeightedByCount ? counts : counts.map { _ in 1 }
        if case .sliding(let window) = kind {
            return values.indices.map { last in
                let range = max(0, last - window + 1)...last
                let total = range.reduce(0) { $0 + shares[$1] }
                return range.reduce(0) { $0 + values[$1] * shares[$1] } / total
            }
        }
        var average = initial
        var total: Double?
        return zip(values, shares).map { value, share in
            let weight = weightOfNewBatch(share: share, total: &total)
            average += weight * (value - average)
            return average
        }
    }

    /// The weight of a new batch, and the sum of weights after it (nil before the first).
    private func weightOfNewBatch(share: Double, total: inout Double?) -> Double {
        guard let retention else {
            guard case .exponential(let weight) = kind else { return 1 }
            return weight
        }
        // An initial value that keeps its weight counts like batches of the first one's size for ever.
        let steady = retention < 1 ? share / (1 - retention) : 0
        let sum = retention * (total ?? (keepsInitialValue ? steady : 0)) + share
        total = sum
        return share / sum
    }
}
