import Arrays
import Graph

/// The fast backend's way to run a step: rewritten, planned once, executed by workers.
final class FastStep: RunnableStep {
    let program: TracedStep
    let plan: Plan
    private let workers: Workers

    init(program: TracedStep, workers: Workers) {
        self.program = program
        self.workers = workers
        var planner = Planner(Rewriter.standard.rewrite(program), workers: workers.count)
        plan = planner.plan()
    }

    func run(_ inputs: [NDArray]) -> Step.Outcome { plan.run(inputs, on: workers) }
}
