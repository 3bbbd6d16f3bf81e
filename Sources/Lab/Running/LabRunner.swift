import Datasets
import Foundation
import Interchange
import Runtime
import Synchronization
import Training

/// Runs the trials of experiments, several side by side, and keeps what is finished.
///
/// Results do not depend on the number of threads; only times do.
public struct LabRunner: Sendable {
    public let experiments: [Experiment]
    public let options: LabOptions
    public let folder: LabFolder
    public let threads: Int
    public let progress: LabProgress
    /// Asked after every step; true ends the run, and what is finished stays.
    public let isCancelled: @Sendable () -> Bool

    public init(
        _ experiments: [Experiment], _ options: LabOptions, folder: LabFolder, threads: Int,
        progress: LabProgress, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        (self.experiments, self.options, self.folder) = (experiments, options, folder)
        (self.threads, self.progress, self.isCancelled) = (threads, progress, isCancelled)
    }

    /// False when it was cancelled. Throws when another program runs a lab in the folder, or it holds a lab
    /// with other options.
    public func run(train: Dataset, test: Dataset) throws -> Bool {
        for experiment in experiments { try options.check(experiment) }
        let claim = try folder.claim()
        defer { withExtendedLifetime(claim) {} }
        _ = try folder.begin(LabFolder.Manifest(experiments, options))
        let plans = experiments.map { experiment in
            (experiment, experiment.grid(options).configurations.enumerated().map { $0 })
        }
        for (experiment, configurations) in plans {
            for (index, configuration) in configurations {
                progress.add(
                    LabProgress.Key(experiment: experiment.name, index: index),
                    configuration.name.isEmpty ? experiment.name : configuration.name,
                    work: configuration.trial.work, parts: options.seeds)
            }
        }
        for (experiment, configurations) in plans {
            var jobs: [Job] = []
            for (index, configuration) in configurations {
                for seed in 0..<options.seeds {
                    let key = LabProgress.Key(experiment: experiment.name, index: index)
                    if folder.load(experiment, configuration, seed: seed, data: options.data) != nil
                    {
                        progress.finishPart(key, seed: seed, wasKept: true)
                    } else {
                        jobs.append(Job(key: key, configuration: configuration, seed: seed))
                    }
                }
            }
            let lanes = experiment.takesTurns ? 1 : threads
            let queue = JobQueue(jobs)
            let perLane = experiment.takesTurns ? threads : 1
            // This thread takes jobs as well.
            let helpers = (1..<max(lanes, 1)).map { _ in
                Lane { work(queue, experiment, train, test, threads: perLane) }
            }
            work(queue, experiment, train, test, threads: perLane)
            for helper in helpers { helper.join() }
            if let error = queue.error { throw error }
            if isCancelled() { return false }
        }
        progress.end()
        return true
    }

    private func work(
        _ queue: JobQueue, _ experiment: Experiment, _ train: Dataset, _ test: Dataset, threads: Int
    ) {
        let workers = Workers(count: threads)
        while !isCancelled(), let job = queue.next() {
            let progressPath = folder.progressPath(
                experiment, job.configuration, seed: job.seed)
            // What an interrupted run left; this one begins anew.
            unlink(progressPath)
            let runner = TrialRunner(
                trial: job.configuration.trial, seed: job.seed, train: train, test: test,
                workers: workers, progressPath: progressPath
            ) { done, total in
                progress.update(job.key, seed: job.seed, Double(done) / Double(max(total, 1)))
                return !isCancelled()
            }
            do {
                guard let outcome = try runner.run() else { return }
                try folder.save(
                    outcome, experiment, job.configuration, seed: job.seed, data: options.data)
                progress.finishPart(job.key, seed: job.seed)
            } catch {
                queue.fail(error)
            }
        }
    }
}

private struct Job: Sendable {
    let key: LabProgress.Key
    let configuration: Grid.Configuration
    let seed: Int
}

/// Jobs to be taken by several threads; empty once something has gone wrong.
private final class JobQueue: Sendable {
    private let state: Mutex<(jobs: [Job], next: Int, error: (any Error)?)>

    init(_ jobs: [Job]) { state = Mutex((jobs, 0, nil)) }

    func next() -> Job? {
        state.withLock { state in
            guard state.error == nil, state.next < state.jobs.count else { return nil }
            defer { state.next += 1 }
            return state.jobs[state.next]
        }
    }

    func fail(_ error: any Error) { state.withLock { $0.error = $0.error ?? error } }

    var error: (any Error)? { state.withLock { $0.error } }
}

/// A thread with a stack of a main thread's size, which can be waited for.
private final class Lane: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let done = done
        let thread = Thread {
            body()
            done.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    func join() { done.wait() }
}
