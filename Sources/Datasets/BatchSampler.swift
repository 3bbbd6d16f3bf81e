import Arrays

/// Cuts epochs into batches of indices.
///
/// Which samples a batch holds follows from seed, epoch and the batch's number: asking for batches
/// in another order, on another thread, or after a restart gives the same ones.
public struct BatchSampler: Sendable {
    /// A place in a run: the batch that comes next.
    public struct Position: Sendable, Hashable, Codable {
        /// Counted from 0.
        public var epoch: Int
        /// Within the epoch, counted from 0.
        public var batch: Int

        public init(epoch: Int = 0, batch: Int = 0) {
            self.epoch = epoch
            self.batch = batch
        }
    }

    /// The samples of one step.
    public struct Batch: Sendable {
        public let position: Position
        /// Int32 `[samples of the batch]`.
        public let indices: NDArray
    }

    public let order: EpochOrder
    public let batchSize: Int
    /// Whether samples that do not fill a batch at the end of an epoch are left out.
    public let dropsLast: Bool
    /// The batch that `next()` returns next; set it to resume.
    public var position: Position {
        didSet {
            precondition(
                isValid(position),
                "expected an epoch of 0 or more and a batch in 0..<\(batchesPerEpoch), "
                    + "found \(position)"
            )
        }
    }
    /// The order of the epoch drawn last.
    private var current: (epoch: Int, indices: [Int32])?

    /// Throws when the batch size is below 1, no batch can be filled, or the position (from a
    /// checkpoint of other data, say) does not exist.
    public init(
        order: EpochOrder, batchSize: Int, dropsLast: Bool = false, position: Position = Position()
    ) throws(DatasetError) {
        guard batchSize >= 1 else {
            throw .inconsistent("the batch size must be at least 1, found \(batchSize)")
        }
        guard order.count >= (dropsLast ? batchSize : 1) else {
            throw .inconsistent(
                order.count == 0
                    ? "there are no samples"
                    : "the batch size \(batchSize) is larger than the \(order.count) samples, and "
                        + "a partial batch is to be dropped: no batch is left")
        }
        self.order = order
        self.batchSize = batchSize
        self.dropsLast = dropsLast
        self.position = position
        guard isValid(position) else {
            throw .inconsistent(
                "an epoch of \(order.count) samples has \(batchesPerEpoch) batches of \(batchSize);"
                    + " there is no \(position)")
        }
    }

    /// How many batches an epoch has.
    public var batchesPerEpoch: Int {
        dropsLast ? order.count / batchSize : (order.count - 1) / batchSize + 1
    }

    /// The number of the batch at `position`, counted from the beginning of the run.
    public var step: Int { position.epoch * batchesPerEpoch + position.batch }

    /// The place of the batch with this number.
    public func position(step: Int) -> Position {
        precondition(step >= 0, "a step is 0 or more, found \(step)")
        return Position(epoch: step / batchesPerEpoch, batch: step % batchesPerEpoch)
    }

    /// The next batch; epochs follow one another without end.
    public mutating func next() -> Batch {
        if current?.epoch != position.epoch {
            current = (position.epoch, order.indices(epoch: position.epoch))
        }
        let batch = Batch(
            position: position, indices: slice(current!.indices, position.batch))
        position = self.position(step: step + 1)
        return batch
    }

    /// The indices of any batch. Draws the epoch's whole order: `next()` is the way to walk.
    public func indices(at position: Position) -> NDArray {
        precondition(
            isValid(position), "expected a batch in 0..<\(batchesPerEpoch), found \(position)")
        return slice(order.indices(epoch: position.epoch), position.batch)
    }

    private func slice(_ indices: [Int32], _ batch: Int) -> NDArray {
        let start = batch * batchSize
        return NDArray(Array(indices[start..<min(start + batchSize, indices.count)]))
    }

    private func isValid(_ position: Position) -> Bool {
        position.epoch >= 0 && position.epoch < Int.max / batchesPerEpoch - 1
            && position.batch >= 0 && position.batch < batchesPerEpoch
    }
}

extension BatchSampler.Position: CustomStringConvertible {
    public var description: String { "batch \(batch) of epoch \(epoch)" }
}
