import Foundation
import Interchange

/// Decodes samples in the background while a model is trained on those that are there.
///
/// A sample is decoded once, by the thread that comes to it first; whoever needs samples that are not
/// there yet helps. What a sample holds, and whether it can be read, follows from its file alone, not from
/// order or threads.
package final class SampleLoader: Sendable {
    package typealias Decode = @Sendable (_ sample: Int) throws(FileError) -> Void

    private let work: Work
    private let threads: Int

    /// - Parameter decode: writes the sample to its place in memory. Called for different samples at once.
    package init(count: Int, threads: Int, decode: @escaping Decode) {
        work = Work(count: count, decode: decode)
        self.threads = threads
    }

    /// Threads let go of what they do not need to finish.
    deinit { work.stop() }

    /// Begins, in the given order; later calls do nothing. Samples that are not named come last.
    package func begin(order: some Sequence<Int>) {
        guard work.begin(order: Array(order)) else { return }
        for index in 0..<threads {
            let thread = Thread { [work] in while work.takeNext() {} }
            thread.name = "EvenKeel decoder \(index + 1)"
            thread.start()
        }
    }

    /// Returns when the samples are there.
    package func require(_ samples: some Sequence<Int>) {
        for sample in samples { work.finish(sample) }
    }

    /// Returns when all samples are there.
    package func requireAll() {
        begin(order: [])
        require(0..<work.count)
    }

    /// Why a sample that was required could not be read; nil when it could.
    package func failure(_ sample: Int) -> FileError? { work.failure(sample) }

    /// The failures so far, in the order of samples.
    package var failures: [FileError] { work.failures }
}

/// What the threads share. Everything that changes is guarded by the condition, which the compiler cannot
/// see; hence `@unchecked Sendable`.
private final class Work: @unchecked Sendable {
    private enum State: UInt8 { case waiting, claimed, done }

    let count: Int
    private let decode: SampleLoader.Decode
    /// Guards everything below.
    private let condition = NSCondition()
    private var states: [State]
    private var errors: [Int: FileError] = [:]
    private var order: [Int]?
    private var position = 0
    private var isStopped = false

    init(count: Int, decode: @escaping SampleLoader.Decode) {
        self.count = count
        self.decode = decode
        states = Array(repeating: .waiting, count: count)
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }

    /// Whether this was the first call.
    func begin(order: [Int]) -> Bool {
        locked {
            guard self.order == nil else { return false }
            let named = Set(order)
            self.order = order + (0..<count).filter { !named.contains($0) }
            return true
        }
    }

    func stop() { locked { isStopped = true } }

    func failure(_ sample: Int) -> FileError? { locked { errors[sample] } }

    var failures: [FileError] {
        locked { errors.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Decodes the next sample of the order; false when there is none, or nobody wants one any more.
    func takeNext() -> Bool {
        let next: Int? = locked {
            guard let order, !isStopped else { return nil }
            while position < order.count, states[order[position]] != .waiting { position += 1 }
            guard position < order.count else { return nil }
            states[order[position]] = .claimed
            return order[position]
        }
        guard let next else { return false }
        run(next)
        return true
    }

    /// Returns when a sample is there: decodes it, or waits for who does.
    func finish(_ sample: Int) {
        let isMine: Bool = locked {
            while states[sample] == .claimed { condition.wait() }
            guard states[sample] == .waiting else { return false }
            states[sample] = .claimed
            return true
        }
        if isMine { run(sample) }
    }

    private func run(_ sample: Int) {
        var failure: FileError?
        do throws(FileError) { try decode(sample) } catch { failure = error }
        condition.lock()
        errors[sample] = failure
        states[sample] = .done
        condition.broadcast()
        condition.unlock()
    }
}
