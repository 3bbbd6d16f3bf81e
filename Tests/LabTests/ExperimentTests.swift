import Arrays
import Datasets
import Foundation
import Graph
import Layers
import Runtime
import Testing
import Training

import Lab

@Suite("Experiments")
struct ExperimentTests {
    @Test("Names are unique, and every experiment says what it is")
    func names() {
        #expect(Set(Experiment.all.map(\.name)).count == 11)
        for experiment in Experiment.all {
            #expect(experiment.name == experiment.name.lowercased())
            #expect(experiment.question.hasSuffix("?") && experiment.setUp.hasSuffix("."))
            #expect(!experiment.claims.isEmpty && !experiment.figures.isEmpty)
        }
    }

    @Test("Configurations differ, and so do their files", arguments: Experiment.all.map(\.name))
    func configurations(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        for scale in [LabOptions.Scale.quick, .full] {
            var options = LabOptions()
            options.scale = scale
            let configurations = experiment.grid(options).configurations
            #expect(configurations.count > 1)
            #expect(Set(configurations.map(\.name)).count == configurations.count)
            #expect(Set(configurations.map(\.trial.stamp)).count == configurations.count)
            let files = configurations.map { LabFolder.fileName($0, seed: 0) }
            #expect(Set(files).count == configurations.count)
            for configuration in configurations { try configuration.trial.run.validate() }
        }
    }

    @Test("Every network of an experiment can be made", arguments: Experiment.all.map(\.name))
    func networks(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        let data = try LabSupport.data(8, seed: 1)
        var seen: Set<String> = []
        for configuration in experiment.grid(LabOptions()).configurations {
            let trial = configuration.trial
            guard seen.insert("\(trial.network)\(trial.run.norm)").inserted else { continue }
            let model = try trial.network.make(norm: trial.run.norm, data: data, seed: 1)
            #expect(
                model(Tensor(NDArray(repeating: Float(1), shape: [2, 6, 6, 1]))).shape == [2, 4])
        }
    }

    @Test("Every probe records what the figures ask for", arguments: Experiment.all.map(\.name))
    func figures(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        let (train, test) = (try LabSupport.data(300, seed: 1), try LabSupport.data(40, seed: 2))
        let configurations = experiment.grid(LabOptions()).configurations
        // The trials of the first two configurations, shortened, stand for all of them.
        let outcomes = try configurations.prefix(2).map { configuration -> Outcome in
            var trial = configuration.trial
            trial.run.length = .steps(4)
            trial.probes = trial.probes.map {
                switch $0 {
                case .accuracy: .accuracy(every: 2)
                case .layers(let steps): .layers(atSteps: [0, 2, 3].suffix(steps.count))
                case .unit: .unit(every: 2)
                case .landscape: .landscape(every: 2)
                case .modes(_, let population): .modes(every: 2, population: population)
                case .ending, .cost: $0
                }
            }
            let outcome = try TrialRunner(
                trial: trial, seed: 0, train: train, test: test, workers: Workers(count: 1),
                goesOn: { _, _ in true }
            ).run()
            return try #require(outcome)
        }
        let results = Results(
            entries: configurations.enumerated().map { index, configuration in
                Results.Entry(configuration: configuration, outcomes: [0: outcomes[index % 2]])
            })
        for (index, figure) in experiment.figures.enumerated() {
            #expect(!figure.draw(results).isEmpty, "figure \(index)")
        }
        for claim in experiment.claims {
            // One seed has no spread.
            #expect(claim.judge(results).kind == .inconclusive)
        }
        // Nothing recorded yet: nothing to draw, and nothing claimed.
        let empty = Results(
            entries: configurations.map { Results.Entry(configuration: $0, outcomes: [:]) })
        for figure in experiment.figures { _ = figure.draw(empty).map(\.svg) }
        for claim in experiment.claims { #expect(claim.judge(empty).kind == .inconclusive) }
    }

    @Test("A user's network takes each normalizer in the place of its batch norms")
    func ownNetwork() throws {
        let yaml = """
            - flatten
            - dense: {outputs: 12, bias: false}
            - batchNorm: {epsilon: 1e-3}
            - tanh
            - dense: 4
            """
        let description = try ModelDescription(yaml: yaml, source: "own.yaml")
        for norm in NormKind.allCases where norm != .instance {
            let made = description.normalized(by: norm)
            let kinds = made.layers.map(\.kind)
            #expect((norm == .batch) == kinds.contains(.batchNorm))
            #expect(made.layers[1].options["bias"] == (norm.centresBatch ? .flag(false) : nil))
            #expect(kinds.contains(.tanh) != norm.isActivation)
            _ = try made.build(input: [6, 6, 1])
        }
        let batch = description.normalized(by: .batch)
        #expect(batch == description)
        var options = LabOptions()
        options.model = description
        options.modelName = "own.yaml"
        let manifest = LabFolder.Manifest([.convergence], options)
        #expect(try manifest.options() == options)
    }

    @Test("Every experiment takes a user's network", arguments: Experiment.all.map(\.name))
    func userNetwork(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        #expect(experiment.withModel.hasPrefix("It ") && experiment.withModel.hasSuffix("."))
        let data = try LabSupport.data(8, seed: 1)
        var options = LabOptions()
        options.model = try ModelDescription(
            yaml: "[flatten, {dense: {outputs: 12, bias: false}}, batchNorm, relu, dense: 4]",
            source: "own.yaml")
        options.modelName = "own.yaml"
        try options.check(experiment)
        let configurations = experiment.grid(options).configurations
        #expect(Set(configurations.map(\.trial.stamp)).count == configurations.count)
        let image = Tensor(NDArray(repeating: Float(1), shape: [2, 6, 6, 1]))
        for configuration in configurations {
            let trial = configuration.trial
            guard case .layers = trial.network else {
                Issue.record("\(configuration.name) is not the user's network")
                continue
            }
            let model = try trial.network.make(norm: trial.run.norm, data: data, seed: 1)
            #expect(model(image).shape == [2, 4])
        }
        // A claim of what is not measured is none.
        let results = Results(
            entries: configurations.map { Results.Entry(configuration: $0, outcomes: [:]) })
        let claims = experiment.claims.filter { $0.applies(results) }
        #expect(claims.count == (name == "position" ? 1 : experiment.claims.count))

        options.model = try ModelDescription(
            yaml: "[flatten, {dense: 8}, relu, dense: 4]", source: "")
        #expect(throws: ConfigurationError.self) { try options.check(experiment) }
    }

    @Test("Batch norms change places with activations, in blocks too, and keep what they need")
    func positions() throws {
        func read(_ yaml: String) throws -> ModelDescription {
            try ModelDescription(yaml: yaml, source: "own.yaml")
        }
        let before = try read(
            """
            - flatten
            - dense: 9
            - residual: [{dense: {outputs: 9, bias: false}}, batchNorm, relu, {dense: 9}]
            - batchNorm: {epsilon: 1e-3}
            - tanh
            - dense: 4
            """)
        let behind = try read(
            """
            - flatten
            - dense: 9
            - residual: [{dense: 9}, relu, batchNorm, {dense: 9}]
            - tanh
            - batchNorm: {epsilon: 1e-3}
            - dense: 4
            """)
        #expect(before.withNorms(behindActivations: true) == behind)
        #expect(behind.withNorms(behindActivations: true) == behind)
        #expect(before.withNorms(behindActivations: false) == before)
        #expect(
            behind.withNorms(behindActivations: false).layers.map(\.kind)
                == before.layers.map(\.kind))
        let apart = try read("[flatten, {dense: 4}, batchNorm, {dense: 4}, relu]")
        #expect(apart.withNorms(behindActivations: true) == apart)
    }
}
