import Foundation
import Interchange
import Synchronization
import Runtime
import Testing
import Training

import Lab

@Suite("Running a lab")
struct LabRunnerTests {
    /// All but times.
    private static func numbers(_ folder: LabFolder, _ experiment: Experiment) -> [Outcome] {
        folder.results(experiment, LabSupport.options()).entries.flatMap { entry in
            entry.outcomes.sorted { $0.key < $1.key }.map { _, outcome in
                var outcome = outcome
                outcome.scalars["seconds"] = nil
                outcome.series["trainingSeconds"] = nil
                return outcome
            }
        }
    }

    @Test("The number of threads changes nothing")
    func threads() throws {
        let experiment = LabSupport.experiment()
        try LabSupport.withFolder { one in
            try LabSupport.withFolder { three in
                let finished = [
                    try LabSupport.run(experiment, one, threads: 1),
                    try LabSupport.run(experiment, three, threads: 3),
                ]
                #expect(finished == [true, true])
                let found = Self.numbers(one, experiment)
                #expect(found.count == 4 && found == Self.numbers(three, experiment))
                #expect(found[0].series["testAccuracy"]?.x == [4, 8, 12])
                #expect(found[0].series["gradientNorm@8"]?.x == [1, 2])
                #expect(Set(found.compactMap { $0.scalars["testAccuracy"] }).count > 1)
            }
        }
    }

    @Test("Interrupted, it goes on where it stopped and comes to the same")
    func interrupted() throws {
        let experiment = LabSupport.experiment()
        try LabSupport.withFolder { through in
            _ = try LabSupport.run(experiment, through)
            try LabSupport.withFolder { folder in
                // Asked at every step; the third of four trainings is cut off.
                let asked = Atomic<Int>(0)
                let isFinished = try LabSupport.run(
                    experiment, folder, threads: 1,
                    isCancelled: { asked.add(1, ordering: .relaxed).newValue > 33 })
                #expect(!isFinished)
                let kept = folder.results(experiment, LabSupport.options()).entries
                    .map(\.outcomes.count)
                #expect(kept == [2, 0])
                let trials = "\(folder.path)/normalizers/trials"
                let files = try FileManager.default.contentsOfDirectory(atPath: trials)
                let first = files.filter { $0.hasSuffix(".json") }
                // The one that was cut off tells how far it came.
                #expect(files.count { $0.hasSuffix(".progress.jsonl") } == 3)
                let before = try first.map {
                    try FileManager.default.attributesOfItem(atPath: "\(trials)/\($0)")[
                        .modificationDate] as? Date
                }
                #expect(try LabSupport.run(experiment, folder))
                let after = try first.map {
                    try FileManager.default.attributesOfItem(atPath: "\(trials)/\($0)")[
                        .modificationDate] as? Date
                }
                #expect(before == after && first.count == 2)
                #expect(Self.numbers(folder, experiment) == Self.numbers(through, experiment))
            }
        }
    }

    @Test("What was done under other conditions, or is damaged, is done again")
    func stale() throws {
        try LabSupport.withFolder { folder in
            _ = try LabSupport.run(LabSupport.experiment(), folder)
            let longer = LabSupport.experiment(steps: 16)
            #expect(folder.results(longer, LabSupport.options()).commonSeeds.isEmpty)
            let known = LabSupport.experiment()
            let trials = "\(folder.path)/normalizers/trials"
            let name = try FileManager.default.contentsOfDirectory(atPath: trials).sorted()[0]
            try Data("{\"stamp".utf8).write(to: URL(filePath: "\(trials)/\(name)"))
            #expect(Self.numbers(folder, known).count == 3)
            #expect(try LabSupport.run(known, folder))
            #expect(Self.numbers(folder, known).count == 4)
        }
    }

    @Test("A folder with other options is refused, and a folder without a lab")
    func refused() throws {
        try LabSupport.withFolder { folder in
            #expect(throws: (any Error).self) { try folder.read() }
            _ = try folder.begin(LabFolder.Manifest([.convergence], LabSupport.options()))
            let both = try folder.begin(LabFolder.Manifest([.batchSize], LabSupport.options()))
            #expect(both.experiments == ["convergence", "batch-size"])
            let error = #expect(throws: (any Error).self) {
                try folder.begin(LabFolder.Manifest([.cost], LabSupport.options(seeds: 9)))
            }
            #expect("\(error!)".contains("other options"))
            try Data("{".utf8).write(to: URL(filePath: folder.manifestPath))
            #expect(throws: (any Error).self) { try folder.read() }
        }
    }

    @Test("A folder has one lab at work at a time, and is free again when it ends")
    func claimed() throws {
        try LabSupport.withFolder { folder in
            var claim: FolderClaim? = try folder.claim()
            let error = #expect(throws: FileError.self) {
                _ = try LabSupport.run(LabSupport.experiment(), folder)
            }
            #expect(error?.reason.contains("another lab") == true)
            #expect(claim != nil)
            claim = nil
            #expect(try LabSupport.run(LabSupport.experiment(), folder))
        }
    }

    @Test("A diverging training is a result, not an error")
    func diverging() throws {
        var trial = Trial(.perceptron([8]), steps: 40, batchSize: 16, learningRate: 1e30)
        trial.testSamples = nil
        let outcome = try TrialRunner(
            trial: trial, seed: 0, train: try LabSupport.data(200, seed: 1),
            test: try LabSupport.data(40, seed: 2), workers: Workers(count: 1),
            goesOn: { _, _ in true }
        ).run()
        #expect(outcome?.scalars["diverged"] == 1)
    }

    @Test("A failing training stops the lab with its error")
    func failing() throws {
        try LabSupport.withFolder { folder in
            let tiny = Experiment(
                name: "normalizers", title: "", question: "", setUp: "", source: "",
                grid: { _ in Grid(Trial(.architecture(.vgg11), steps: 1)).overNorms([.batch]) },
                figures: [], claims: [])
            #expect(throws: ConfigurationError.self) { _ = try LabSupport.run(tiny, folder) }
        }
    }
}
