import Arrays
import Graph

/// A compiled step: a function of tensors that is traced once for given input shapes, planned, and run
/// many times.
///
///     let step = Step { inputs in
///         let loss = model(inputs[0]).crossEntropy(inputs[1]).mean()
///         optimizer.update(model.parameters, loss.gradients(model.parameters.map(\.tensor)))
///         return [loss]
///     }
///     let loss = step(images, labels).outputs[0]
///
/// Inside the body, `Variable.propose` says what a variable's next value is. The step commits all
/// proposals together, or none of them when a tensor that was required to be finite is not.
public final class Step {
    /// What one run gave.
    public struct Outcome: Sendable {
        /// The values of the tensors that the body returned.
        public let outputs: [NDArray]
        /// The labels of the tensors that had to be finite and were not. Empty when the step committed.
        public let failedChecks: [String]
        public var isCommitted: Bool { failedChecks.isEmpty }
    }

    public let backend: Backend
    public let workers: Workers
    /// Whether variables are taken as constants, with the values they have when the step is compiled.
    public let isFrozen: Bool
    private let body: ([Tensor]) -> [Tensor]
    private var traced: [[TensorSpec]: any RunnableStep] = [:]
    /// The step that ran last: the next one is the same nearly always.
    private var latest: (any RunnableStep)?

    /// - Parameters:
    ///   - backend: fast, or the reference to compare with.
    ///   - workers: the threads of the fast backend; results do not depend on their number.
    ///   - isFrozen: takes variables as constants, with the values they have when the step is compiled:
    ///     for inference. The body must not propose anything.
    ///   - body: called once for each new combination of input shapes.
    public init(
        backend: Backend = .fast, workers: Workers = .shared, isFrozen: Bool = false,
        _ body: @escaping ([Tensor]) -> [Tensor]
    ) {
        self.backend = backend
        self.workers = workers
        self.isFrozen = isFrozen
        self.body = body
    }

    /// Runs the step.
    public func callAsFunction(_ inputs: NDArray...) -> Outcome { run(inputs) }

    /// Runs the step; the same with an array of inputs. Traps where it needs more memory than there is.
    public func run(_ inputs: [NDArray]) -> Outcome {
        do { return try checkedRun(inputs) } catch { preconditionFailure("\(error)") }
    }

    /// The same, for shapes that come from outside: throws where it needs more memory than there is.
    public func checkedRun(_ inputs: [NDArray]) throws(MemoryError) -> Outcome {
        if let latest, latest.program.fits(inputs) { return latest.run(inputs) }
        let step = try prepared(inputs.map { TensorSpec($0.shape, $0.elementType) })
        latest = step
        return step.run(inputs)
    }

    /// Whether it was compiled for inputs of any shape yet.
    public var isCompiled: Bool { !traced.isEmpty }

    /// The step traced and planned for inputs of the given shapes, without running it. Traps where it needs
    /// more memory than there is.
    public func compiled(_ specs: [TensorSpec]) -> any RunnableStep {
        do { return try prepared(specs) } catch { preconditionFailure("\(error)") }
    }

    /// The same, for shapes that come from outside: throws where it needs more memory than there is.
    @discardableResult
    public func prepared(_ specs: [TensorSpec]) throws(MemoryError) -> any RunnableStep {
        if let step = traced[specs] { return step }
        let program = TracedStep(inputs: specs, body)
        precondition(
            !isFrozen || program.proposals.isEmpty,
            "a frozen step cannot change variables, its body proposes \(program.proposals.count)")
        let step: any RunnableStep =
            switch backend {
            case .reference:
                ReferenceStep(
                    program: isFrozen
                        ? program.mappingRoots(GraphRewriter(FreezeVariables.self).callAsFunction)
                        : program)
            case .fast:
                isFrozen
                    ? try FrozenStep(program: program, workers: workers)
                    : try FastStep(program: program, workers: workers)
            }
        traced[specs] = step
        return step
    }
}

/// A step made ready for one combination of input shapes.
public protocol RunnableStep {
    var program: TracedStep { get }
    /// How the fast backend runs the step; nil on the reference backend.
    var plan: Plan? { get }
    func run(_ inputs: [NDArray]) -> Step.Outcome
}

/// What tracing a step's body recorded.
public struct TracedStep: Sendable {
    public let inputs: [TensorSpec]
    /// What the body returned.
    public var outputs: [Tensor]
    public var proposals: [(variable: Variable, value: Tensor)]
    public var checks: [FinitenessCheck]

    public init(inputs: [TensorSpec], _ body: ([Tensor]) -> [Tensor]) {
        let trace = Trace()
        let leaves = inputs.enumerated().map { Tensor(InputLeaf(position: $0, spec: $1)) }
        self.inputs = inputs
        outputs = Trace.$current.withValue(trace) { body(leaves) }
        proposals = trace.proposals
        checks = trace.checks
    }

    /// Whether this was traced for inputs of these shapes and types.
    func fits(_ arrays: [NDArray]) -> Bool {
        arrays.count == inputs.count
            && zip(arrays, inputs).allSatisfy { $0.elementType == $1.type && $0.shape == $1.shape }
    }

    /// Everything that must be computed.
    public var roots: [Tensor] { outputs + checks.map(\.tensor) + proposals.map(\.value) }
}

/// The reference backend's way to run a step: evaluate everything in Double, then commit.
struct ReferenceStep: RunnableStep {
    let program: TracedStep
    var plan: Plan? { nil }

    func run(_ inputs: [NDArray]) -> Step.Outcome {
        let values = ReferenceInterpreter<Double>(inputs: inputs).evaluate(program.roots)
        let outputs = zip(program.outputs, values).map { $1.array($0.elementType) }
        let checked = values.dropFirst(outputs.count).prefix(program.checks.count)
        let failed = zip(program.checks, checked).compactMap { check, value in
            value.elements.allSatisfy(\.isFinite) ? nil : check.label
        }
        if failed.isEmpty {
            for (proposal, value) in zip(program.proposals, values.suffix(program.proposals.count))
            {
                proposal.variable.value = value.array(proposal.variable.spec.type)
            }
        }
        return Step.Outcome(outputs: outputs, failedChecks: failed)
    }
}
