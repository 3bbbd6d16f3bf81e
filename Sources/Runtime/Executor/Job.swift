import Arrays
import Dispatch
import Graph
import Synchronization

/// A plan's phases made ready to run, with the state that workers share while they do.
///
/// A phase is a list of items, each a group of consecutive shards of one segment. Workers claim items,
/// their own first and then others' (stealing). Who finishes a phase's last item merges the partial
/// results, runs the epilogue and opens the next phase.
///
/// Everything mutable is atomic or touched by one worker at a time; the rest is immutable after `init`.
final class Job: @unchecked Sendable {
    private let source: [ExecutablePhase]
    private let phases: [PhaseRecord]
    let table: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private let memory: Storage
    private var scratch: UnsafeMutableRawPointer { memory.pointer }
    private let scratchStride: Int
    /// Where a worker's workspace begins in its scratch memory.
    private let workspaceOffset: Int
    private let workerCount: Int

    /// run * (phases + 1) + phase: grows monotonically.
    private let position = Atomic<UInt64>(0)
    private let remaining = Atomic<Int>(0)
    /// For each item of each phase, the last run in which it was claimed.
    private let claims: UnsafeMutablePointer<Atomic<UInt64>>
    private let firstClaim: [Int]
    private let claimCount: Int
    private var runIndex: UInt64 = 0
    private var positionsPerRun: UInt64 { UInt64(phases.count + 1) }

    init(phases: [ExecutablePhase], slots: Int, scratchBytes: Int, workers: Int) {
        source = phases
        let records = phases.map(PhaseRecord.init)
        self.phases = records
        workerCount = workers
        table = .allocate(capacity: max(slots, 1))
        workspaceOffset = (scratchBytes + 63) / 64 * 64
        let bytes = workspaceOffset + (phases.map(\.workspaceBytes).max() ?? 0)
        scratchStride = (bytes + 4095) / 4096 * 4096 + 4096
        memory = Storage(zeroed: scratchStride * workers)
        var first: [Int] = []
        var total = 0
        for phase in records {
            first.append(total)
            total += phase.items.count
        }
        firstClaim = first
        claimCount = total
        claims = .allocate(capacity: max(total, 1))
        for index in 0..<total { (claims + index).initialize(to: Atomic(0)) }
    }

    deinit {
        for phase in phases { phase.deallocate() }
        claims.deinitialize(count: claimCount)
        claims.deallocate()
        table.deallocate()
    }

    /// Called by worker 0 with the table filled, before others may look.
    func begin() {
        runIndex += 1
        open(phase: 0)
    }

    private func serialTask() -> ShardTask {
        ShardTask(
            start: 0, count: 1, group: 0, opensGroup: true, closesGroup: true, table: table,
            scratch: scratch, workspace: scratch + workspaceOffset)
    }

    /// Opens a phase, running through phases that have no items.
    private func open(phase first: Int) {
        var phase = first
        while phase < phases.count {
            phases[phase].prologue.run(serialTask())
            if !phases[phase].items.isEmpty { break }
            close(phase: phase)
            phase += 1
        }
        if phase < phases.count {
            remaining.store(phases[phase].items.count, ordering: .relaxed)
        }
        position.store(
            runIndex * positionsPerRun + UInt64(phase), ordering: .sequentiallyConsistent)
    }

    /// Merges and runs the epilogue.
    private func close(phase: Int) {
        let task = serialTask()
        for segment in phases[phase].segments { segment.reductions.finish(task) }
        phases[phase].epilogue.run(task)
    }

    /// Takes part in the present run until it ends.
    func participate(worker: Int, gate: Gate) {
        let perRun = positionsPerRun
        while true {
            let here = position.load(ordering: .acquiring)
            let phase = Int(here % perRun)
            if phase == phases.count { return }
            let began = DispatchTime.now().uptimeNanoseconds
            work(phase: phase, run: here / perRun, worker: worker, gate: gate)
            gate.wait(after: began) { position.load(ordering: .acquiring) != here }
        }
    }

    func waitUntilFinished(gate: Gate) {
        let perRun = positionsPerRun
        gate.wait { Int(position.load(ordering: .acquiring) % perRun) == phases.count }
    }

    private func work(phase: Int, run: UInt64, worker: Int, gate: Gate) {
        let count = phases[phase].items.count
        // Much serial work comes first, by one: who is late for it is helped with the shards.
        let sharded = phases[phase].shardedItemCount
        let items = phases[phase].items
        if worker == 0 {
            for index in sharded..<count where !items[index].isLight {
                take(index, phase, run, worker, gate)
            }
        }
        // A worker's own items come first, then the others'. Every other phase walks backward: what was
        // touched last is still in cache.
        let isBackward = phase % 2 == 1
        let own = (worker + (isBackward ? 1 : 0)) * sharded / workerCount
        for isLight in [false, true] {
            for step in 0..<sharded {
                let index = (isBackward ? own - 1 - step + sharded : own + step) % sharded
                if items[index].isLight == isLight { take(index, phase, run, worker, gate) }
            }
        }
        for index in sharded..<count { take(index, phase, run, worker, gate) }
    }

    /// Executes an item unless somebody else has claimed it; the last one of the phase closes it.
    @inline(__always)
    private func take(_ index: Int, _ phase: Int, _ run: UInt64, _ worker: Int, _ gate: Gate) {
        let claim = claims + (firstClaim[phase] + index)
        let last = claim.pointee.load(ordering: .relaxed)
        guard last < run,
            claim.pointee.compareExchange(
                expected: last, desired: run, ordering: .acquiringAndReleasing
            ).exchanged
        else { return }
        execute(phases[phase].items[index], of: phase, worker: worker)
        let left = remaining.subtract(1, ordering: .acquiringAndReleasing).newValue
        if left == 0 {
            close(phase: phase)
            open(phase: phase + 1)
            gate.wake()
        }
    }

    private func execute(_ item: PhaseRecord.Item, of phase: Int, worker: Int) {
        let segment = phases[phase].segments[item.segment]
        let shards = segment.shards(ofGroup: item.group)
        var task = serialTask()
        task.group = item.group
        task.scratch = scratch + worker * scratchStride
        task.workspace = task.scratch + workspaceOffset
        let backward = phase % 2 == 1
        for step in 0..<shards.count {
            let shard = backward ? shards.upperBound - 1 - step : shards.lowerBound + step
            let next = backward ? shard - 1 : shard + 1
            task.start = shard * segment.unitsPerShard
            task.next =
                next >= 0 && next < segment.shardCount ? next * segment.unitsPerShard : nil
            task.count = min(segment.unitsPerShard, segment.unitCount - task.start)
            task.opensGroup = step == 0
            task.closesGroup = step == shards.count - 1
            segment.kernels.run(task)
        }
    }
}

/// A phase in executable form.
package struct ExecutablePhase {
    package var segments: [ExecutableSegment] = []
    /// Small serial work that one worker does while shards run.
    var beside: [Kernel] = []
    /// Of all that it reads and writes.
    var besideByteCount = 0
    /// Small serial work before the shards run.
    var prologue: [Kernel] = []
    /// Small serial work after the merges.
    var epilogue: [Kernel] = []

    /// The working memory that its kernels need.
    var workspaceBytes: Int {
        (segments.flatMap(\.kernels) + beside + prologue + epilogue).map(\.workspaceBytes).max()
            ?? 0
    }
}

/// Kernels that run shard by shard over the same units.
package struct ExecutableSegment {
    /// Fixed, so that merges do not depend on the number of threads.
    static let maximalGroupCount = 8

    let unitCount: Int
    let unitsPerShard: Int
    /// Of all that its kernels read and write: how much work it is, beside the other segments of a phase.
    var byteCount = 0
    package var kernels: [Kernel] = []
    var reductions: [Kernel] = []
    /// Nodes that the kernel of another node carries out on its way.
    package var joined: Set<Node> = []

    var shardCount: Int { (unitCount + unitsPerShard - 1) / unitsPerShard }
    var groupCount: Int { min(Self.maximalGroupCount, shardCount) }
}
