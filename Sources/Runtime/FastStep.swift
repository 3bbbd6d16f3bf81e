import Arrays
import Graph

/// The fast backend's way to run a step.
struct FastStep: RunnableStep {
    let program: TracedStep
    init(program: TracedStep, workers: Workers) { self.program = program }
    func run(_ inputs: [NDArray]) -> Step.Outcome { ReferenceStep(program: program).run(inputs) }
}
