import Arrays
import Datasets
import Graph
import Layers
import Runtime

extension Module {
    /// Recomputes the running statistics of every batch norm exactly over a data set, as the form with
    /// a closure for the batches does. Throws when the set is empty.
    ///
    /// - Parameter batchSize: how many samples are held in memory at once; results do not depend on it.
    /// - Returns: the norms that were recomputed.
    @discardableResult
    public func recalibrate(
        on data: Dataset, batchSize: Int = 500, workers: Workers = .shared
    ) throws(TrainingError) -> [BatchNorm] {
        guard data.count > 0 else { throw .invalid("there are no samples to take statistics of") }
        let size = max(batchSize, 1)
        return recalibrate(
            batchCount: (data.count - 1) / size + 1, workers: workers,
            batch: { index in
                let range = (index * size)..<min((index + 1) * size, data.count)
                return [data.features, NDArray(range.map { Int32($0) })]
            },
            input: { self.gatherInput($0[0], $0[1], InputScaling(data)) })
    }
}
