import Arrays
import Graph

/// The fast backend's way to run a step: rewritten, planned once, executed by workers.
final class FastStep: RunnableStep {
    let program: TracedStep
    private let compiled: Plan
    var plan: Plan? { compiled }
    private let workers: Workers

    init(program: TracedStep, workers: Workers) throws(MemoryError) {
        self.program = program
        self.workers = workers
        var planner = Planner(Rewriter.standard.rewrite(program), workers: workers.count)
        compiled = try planner.plan()
    }

    func run(_ inputs: [NDArray]) -> Step.Outcome { compiled.run(inputs, on: workers) }
}
