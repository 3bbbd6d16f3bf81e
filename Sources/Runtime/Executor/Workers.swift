import CKernels
import Dispatch
import Foundation
import Synchronization

/// The worker threads of the fast backend.
///
/// Workers take groups of shards; the thread that runs a step is worker 0. Waiting workers spin for some
/// tens of microseconds and then park, so that a program that wants the core can have it. Results do not
/// depend on the number of workers.
public final class Workers: Sendable {
    /// As many workers as there are processors, made on first use.
    public static let shared = Workers()

    /// The number of workers, the calling thread included.
    public let count: Int

    private let pool: WorkerPool
    private let running = Mutex(())

    /// - Parameter count: at least 1; the number of active processors by default.
    public init(count: Int? = nil) {
        let count = count ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
        precondition(count >= 1, "Workers: expected at least 1 thread, found \(count)")
        self.count = count
        pool = WorkerPool(helpers: count - 1)
    }

    deinit { pool.stop() }

    /// Runs a job to its end. Calls from several threads take turns.
    func run(_ job: Job) {
        running.withLock { _ in
            SignalMask.blocking {
                OneDNNThreads.single {
                    job.begin()
                    pool.announce(job)
                    job.participate(worker: 0, gate: pool.gate)
                    job.waitUntilFinished(gate: pool.gate)
                    pool.forget()
                }
            }
        }
    }
}

/// The helper threads, and where they wait.
private final class WorkerPool: Sendable {
    let gate = Gate()
    private let current = Mutex<Job?>(nil)
    private let generation = Atomic<UInt64>(0)
    private let isStopped = Atomic<Bool>(false)

    init(helpers: Int) {
        for worker in 0..<helpers {
            let thread = Thread { [self] in serve(worker: worker + 1) }
            thread.name = "EvenKeel worker \(worker + 1)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    func announce(_ job: Job) {
        current.withLock { $0 = job }
        generation.add(1, ordering: .sequentiallyConsistent)
        gate.wake()
    }

    /// Lets go of the job, whose memory may be large. Workers that come too late find nothing to do.
    func forget() { current.withLock { $0 = nil } }

    func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        generation.add(1, ordering: .sequentiallyConsistent)
        gate.wake()
    }

    private func serve(worker: Int) {
        SignalMask.block()
        OneDNNThreads.makeSingle()
        var seen: UInt64 = 0
        while true {
            gate.wait { generation.load(ordering: .acquiring) != seen }
            seen = generation.load(ordering: .acquiring)
            if isStopped.load(ordering: .acquiring) { return }
            current.withLock { $0 }?.participate(worker: worker, gate: gate)
        }
    }
}

/// A place to wait for a condition that another thread makes true: spins, then parks.
final class Gate: Sendable {
    private let condition = NSCondition()
    private let parked = Atomic<Int>(0)

    /// The shortest spin: parking for less than that would cost more than it gives.
    private static let spinNanoseconds: UInt64 = 80_000
    /// Two workers' shares of a phase differ by a part of it, so after long work a spin may be as long as
    /// this part of the work was.
    private static let spinShare: UInt64 = 8
    private static let spinsBeforeYield = 100

    /// Returns when the condition holds. It may be evaluated often and must not block.
    ///
    /// - Parameter began: when the work began that the waiting thread has just done, in nanoseconds of
    ///   uptime; nil where there was none.
    func wait(after began: UInt64? = nil, until isTrue: () -> Bool) {
        let start = DispatchTime.now().uptimeNanoseconds
        let spin = max(Self.spinNanoseconds, (start - (began ?? start)) / Self.spinShare)
        repeat {
            for _ in 0..<Self.spinsBeforeYield {
                if isTrue() { return }
                ek_pause()
            }
            // The thread that is waited for may be waiting for this very core.
            sched_yield()
        } while DispatchTime.now().uptimeNanoseconds - start < spin
        condition.lock()
        parked.add(1, ordering: .sequentiallyConsistent)
        while !isTrue() { condition.wait() }
        parked.subtract(1, ordering: .sequentiallyConsistent)
        condition.unlock()
    }

    /// Wakes parked threads. Call it after the store that makes their condition true, which must be
    /// sequentially consistent.
    func wake() {
        guard parked.load(ordering: .sequentiallyConsistent) > 0 else { return }
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }
}
