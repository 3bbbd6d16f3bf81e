/// A run of units given to a kernel: one shard, on one worker.
struct ShardTask {
    /// The first unit (sample, or row of a weight) and the number of units.
    var start: Int
    var count: Int
    /// The first unit of the shard that comes next, if there is one.
    var next: Int?
    /// The group of shards this one belongs to, in whose partial result reductions accumulate.
    var group: Int
    /// Whether this is the first shard of its group that runs.
    var opensGroup: Bool
    /// Whether it is the last one that runs.
    var closesGroup: Bool
    /// The addresses of inputs, variables and results, for this run.
    var table: UnsafeMutablePointer<UnsafeMutableRawPointer>
    /// The worker's scratch memory.
    var scratch: UnsafeMutableRawPointer
    /// The worker's memory for whatever a kernel needs while it runs.
    var workspace: UnsafeMutableRawPointer
}

/// Where a kernel finds one of its inputs or outputs.
struct Operand {
    enum Place {
        /// In the worker's scratch memory, holding the shard's units only.
        case scratch
        /// At a fixed address: the arena, a constant.
        case fixed(UnsafeMutableRawPointer)
        /// At an address bound for each run.
        case bound(slot: Int)
    }
    var place: Place
    /// In bytes, from the place's base.
    var offset: Int
    /// Bytes per unit when the operand is split by units, 0 when each shard sees all of it.
    var unitBytes: Int
    /// Elements from one row of a matrix to the next, where that may be more than a row has.
    var rowStride: Int?

    /// The address of what lies in the arena or is a constant. Traps for anything else.
    func fixedPointer<T>() -> UnsafeMutablePointer<T> {
        guard case .fixed(let base) = place else {
            preconditionFailure("expected an operand at a fixed address, found one in \(place)")
        }
        return (base + offset).assumingMemoryBound(to: T.self)
    }

    var isScratch: Bool { if case .scratch = place { true } else { false } }

    @inline(__always)
    func address(_ task: ShardTask) -> UnsafeMutableRawPointer {
        switch place {
        case .scratch: task.scratch + offset
        case .fixed(let base): base + (offset + task.start * unitBytes)
        case .bound(let slot): task.table[slot] + (offset + task.start * unitBytes)
        }
    }

    @inline(__always)
    func pointer<T>(_ task: ShardTask, as type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        address(task).assumingMemoryBound(to: T.self)
    }
}
