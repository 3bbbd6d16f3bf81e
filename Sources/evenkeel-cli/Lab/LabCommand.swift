import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel lab`
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Measure what normalization does, and see it.",
        discussion: """
            evenkeel lab list
            evenkeel lab run convergence learning-rate --quick
            evenkeel lab run normalizers --data my-images --model layers.yaml --seeds 5

            A run trains every configuration of an experiment with several seeds and writes report.html. \
            Interrupted, the same command goes on where it stopped.
            """,
        subcommands: [LabList.self, LabRun.self, LabReportCommand.self])
}

/// `evenkeel lab list`
struct LabList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the experiments.")

    func run() {
        for experiment in Experiment.all {
            let name = experiment.name.padding(toLength: 18, withPad: " ", startingAt: 0)
            print("\(name)\(experiment.question)")
            print("    --model: \(experiment.withModel)")
        }
    }
}

/// `evenkeel lab run`
struct LabRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run experiments and write their report.")

    @Argument(
        help: "Names of experiments, as `evenkeel lab list` shows them; all when none is given.")
    var names: [String] = []

    @Option(
        help: ArgumentHelp(
            "fashion-mnist, or a folder of IDX files, CIFAR binaries or class folders.",
            discussion: """
                Networks take the shape and the classes of the data; the convolutional ones of convergence \
                and cost need images of at least 4 by 4.
                """))
    var data = "fashion-mnist"

    @Option(
        help: ArgumentHelp(
            "A YAML file of layers, in place of the experiments' networks.",
            discussion: """
                Where it says batchNorm, each normalizer goes in turn. `evenkeel lab list` tells what it \
                means for each experiment.
                """))
    var model: String?

    @Option(help: "So many seeds: 0, 1, ... They give the spread.")
    var seeds = 3

    @Flag(help: "Small (--quick, the default: about 2 minutes an experiment) or thorough (--full).")
    var scale = LabOptions.Scale.quick

    @Option(help: "Threads: so many configurations side by side. Only times depend on it.")
    var threads: Int?

    @Option(help: "The folder for results and report.")
    var output = "runs/lab"

    func run() throws {
        guard (1...1000).contains(seeds) else {
            throw ValidationError("--seeds: expected 1 to 1000, found \(seeds)")
        }
        let experiments =
            names.isEmpty
            ? Experiment.all
            : try names.map { name in
                guard let experiment = Experiment.named(name) else {
                    let known = Experiment.all.map(\.name).joined(separator: ", ")
                    throw ValidationError("unknown experiment '\(name)'; known are \(known)")
                }
                return experiment
            }
        var options = LabOptions()
        (options.data, options.seeds, options.scale) = (data, seeds, scale)
        if let model {
            options.model = try ModelDescription(yaml: try readText(model), source: model)
            options.modelName = model
            for experiment in experiments {
                do { try options.check(experiment) } catch {
                    throw ValidationError(error.description)
                }
            }
        }
        Interruption.install()
        try LabSession.run(
            experiments, options, threads: try makeWorkers(threads).count,
            folder: LabFolder(output))
    }
}

/// `evenkeel lab report`
struct LabReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write the report of what a lab has found so far.")

    @Argument(help: ArgumentHelp("The lab's folder.", valueName: "dir"))
    var path: String

    func run() throws { try LabSession.report(LabFolder(path)) }
}

/// What `lab` and `demo` share.
enum LabSession {
    static func run(
        _ experiments: [Experiment], _ options: LabOptions, threads: Int, folder: LabFolder
    ) throws {
        let parts = try TrainingRun.load(options.data)
        let stop = StopRequest(folder: folder.path)
        stop.withdraw()
        defer { stop.withdraw() }
        let runner = LabRunner(
            experiments, options, folder: folder, threads: threads, progress: LabProgress(),
            isCancelled: { Interruption.isRequestedNow || stop.isRequested })
        let isFinished = try runner.run(train: parts.train, test: parts.test)
        try report(folder)
        if !isFinished {
            Console.writeError("interrupted; the same command goes on where this stopped")
            throw ExitCode(130)
        }
    }

    static func report(_ folder: LabFolder) throws {
        let report = try LabReport(folder)
        try report.write(to: folder)
        for section in report.sections {
            if !section.isComplete {
                print(
                    "\(section.experiment.name): \(section.finished) of \(section.planned) trainings "
                        + "are finished")
            }
            for (claim, verdict) in section.verdicts {
                print("\(section.experiment.name): \(verdict.kind.rawValue): \(claim)")
                print("    found: \(verdict.evidence)")
            }
        }
        print("report: \(folder.reportPath)")
    }
}

extension LabOptions.Scale: EnumerableFlag {}
