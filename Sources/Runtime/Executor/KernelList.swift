/// Kernels to be called in order, reached without touching reference counts: counts shared by several
/// threads would cost more than many a kernel.
struct KernelList {
    private let kernels: UnsafeMutableBufferPointer<Unmanaged<Kernel>>

    /// The list does not keep the kernels alive; its owner does.
    init(_ kernels: [Kernel]) {
        self.kernels = .allocate(capacity: kernels.count)
        for (index, kernel) in kernels.enumerated() {
            self.kernels.initializeElement(at: index, to: .passUnretained(kernel))
        }
    }

    func deallocate() { kernels.deallocate() }

    @inline(__always)
    func run(_ task: ShardTask) {
        for kernel in kernels { kernel._withUnsafeGuaranteedRef { $0.run(task) } }
    }

    @inline(__always)
    func finish(_ task: ShardTask) {
        for kernel in kernels { kernel._withUnsafeGuaranteedRef { $0.finish(task) } }
    }
}

/// A segment as workers see it: plain memory.
struct SegmentRecord {
    let unitCount: Int
    let unitsPerShard: Int
    let shardCount: Int
    let groupCount: Int
    let kernels: KernelList
    let reductions: KernelList

    init(_ segment: ExecutableSegment) {
        unitCount = segment.unitCount
        unitsPerShard = segment.unitsPerShard
        shardCount = segment.shardCount
        groupCount = segment.groupCount
        kernels = KernelList(segment.kernels)
        reductions = KernelList(segment.reductions)
    }

    /// The shards of a group: the groups are consecutive and as equal as can be.
    @inline(__always)
    func shards(ofGroup group: Int) -> Range<Int> {
        (group * shardCount / groupCount)..<((group + 1) * shardCount / groupCount)
    }

    func deallocate() {
        kernels.deallocate()
        reductions.deallocate()
    }
}

/// A phase as workers see it: plain memory.
struct PhaseRecord {
    struct Item {
        let segment: Int
        let group: Int
        /// Whether it is small beside others: such items come last, to fill the time until all are done.
        var isLight = false
    }

    let segments: UnsafeMutableBufferPointer<SegmentRecord>
    /// Groups of shards, and last the serial work beside them.
    let items: UnsafeMutableBufferPointer<Item>
    let shardedItemCount: Int
    let prologue: KernelList
    let epilogue: KernelList

    init(_ phase: ExecutablePhase) {
        let records = phase.segments.map(SegmentRecord.init)
        // Serial work is one shard of its own.
        let beside = ExecutableSegment(unitCount: 1, unitsPerShard: 1, kernels: phase.beside)
        let serial = phase.beside.isEmpty ? [] : [SegmentRecord(beside)]
        segments = .allocate(capacity: records.count + serial.count)
        _ = segments.initialize(from: records + serial)
        // In the order of the groups' places in their segments: equal shares of the list are equal shares
        // of each segment, so that from phase to phase workers find the same rows.
        let sizes = phase.segments.map { $0.byteCount / max($0.groupCount, 1) }
        let largest = sizes.max() ?? 0
        let list = records.enumerated().flatMap { index, record in
            (0..<record.groupCount).map {
                Item(segment: index, group: $0, isLight: sizes[index] < largest / 4)
            }
        }.sorted { a, b in
            let (left, right) = (
                a.group * records[b.segment].groupCount, b.group * records[a.segment].groupCount
            )
            return (left, a.segment) < (right, b.segment)
        }
        let isLight = phase.besideByteCount < largest / 4
        let last = serial.map { _ in Item(segment: records.count, group: 0, isLight: isLight) }
        shardedItemCount = list.count
        items = .allocate(capacity: list.count + last.count)
        _ = items.initialize(from: list + last)
        prologue = KernelList(phase.prologue)
        epilogue = KernelList(phase.epilogue)
    }

    func deallocate() {
        for segment in segments { segment.deallocate() }
        segments.deallocate()
        items.deallocate()
        prologue.deallocate()
        epilogue.deallocate()
    }
}
