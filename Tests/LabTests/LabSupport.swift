import Arrays
import Datasets
import Foundation
import Training

import Lab

/// Small data, and an experiment that takes no time.
enum LabSupport {
    /// Images of 6 by 6 with a bright quarter, in four classes.
    static func data(_ count: Int, seed: UInt64) throws -> Dataset {
        var generator = PhiloxGenerator(seed: seed)
        let pixels = (0..<(count * 36)).map { index -> UInt8 in
            let isBright = index % 36 / 9 == index / 36 % 4
            return UInt8(generator.next() % 120) + (isBright ? 100 : 0)
        }
        return try Dataset(
            features: NDArray(pixels, shape: [count, 6, 6, 1]),
            labels: NDArray((0..<count).map { Int32($0 % 4) }), scale: 1 / 255)
    }

    static func withFolder(_ body: (LabFolder) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "evenkeel-lab-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(LabFolder(path))
    }

    static func options(seeds: Int = 2) -> LabOptions {
        var options = LabOptions()
        (options.data, options.seeds) = ("made", seeds)
        return options
    }

    /// Two normalizers, under the name of a known experiment so that its folder can be reported on.
    static func experiment(steps: Int = 12) -> Experiment {
        Experiment(
            name: "normalizers", title: "Small", question: "Does it run?", setUp: "Little.",
            source: "nowhere",
            grid: { _ in
                var trial = Trial(.perceptron([8]), steps: steps, batchSize: 16)
                trial.probes += [.accuracy(every: 4), .layers(atSteps: [0, 8])]
                return Grid(trial).overNorms([.none, .batch])
            },
            figures: [
                .bars("Accuracy", "testAccuracy", y: "test accuracy", over: Axis.norm),
                .curves("Over time", "testAccuracy", y: "test accuracy", lines: Axis.norm),
            ],
            claims: [])
    }

    static func run(
        _ experiment: Experiment, _ folder: LabFolder, threads: Int = 2, seeds: Int = 2,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> Bool {
        let options = options(seeds: seeds)
        let runner = LabRunner(
            [experiment], options, folder: folder, threads: threads,
            progress: LabProgress(.nullDevice, isTerminal: false), isCancelled: isCancelled)
        return try runner.run(
            train: try data(200, seed: 1), test: try data(60, seed: 2))
    }
}
