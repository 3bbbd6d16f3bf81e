import Arrays
import CKernels
import Graph

/// The fast backend's way to run a step whose variables are constants: what follows from them alone is
/// computed once, convolutions do what follows them while they store, and a single image is split by rows.
///
/// Those fused convolutions take NaN for 0 in ReLU. So they are used only while variables and inputs are
/// finite; other inputs go through a plan without them, where NaN stays NaN.
final class FrozenStep: RunnableStep {
    let program: TracedStep
    private let workers: Workers
    private let fused: Plan?
    private lazy var careful: Plan = {
        do { return try Self.makePlan(prepared, workers, fusesOutputs: false) } catch {
            preconditionFailure("\(error)")
        }
    }()
    /// After the standard passes, with constants for variables.
    private let prepared: TracedStep

    var plan: Plan? { fused ?? careful }

    init(program: TracedStep, workers: Workers) throws(MemoryError) {
        self.program = program
        self.workers = workers
        prepared = Rewriter.standard.rewrite(program)
            .mappingRoots(GraphRewriter(FreezeVariables.self).callAsFunction)
        let constants = topologicalOrder(prepared.roots).compactMap {
            ($0.operation as? ConstantLeaf)?.value
        }
        let areFinite = constants.allSatisfy(\.isFinite)
        let plan = try Self.makePlan(prepared, workers, fusesOutputs: areFinite)
        fused = areFinite ? plan : nil
        if !areFinite { careful = plan }
    }

    func run(_ inputs: [NDArray]) -> Step.Outcome {
        if let fused, inputs.allSatisfy(\.isFinite) { return fused.run(inputs, on: workers) }
        return careful.run(inputs, on: workers)
    }

    private static func makePlan(
        _ prepared: TracedStep, _ workers: Workers, fusesOutputs: Bool
    ) throws(MemoryError) -> Plan {
        let fused = Rewriter.inference(fusesOutputs: fusesOutputs).rewrite(prepared)
        var planner = Planner(
            try FoldConstants.apply(to: fused, workers: workers), workers: workers.count)
        return try planner.plan()
    }
}

extension NDArray {
    /// Whether no element is infinite or NaN.
    fileprivate var isFinite: Bool {
        switch elementType {
        case .float32:
            withUnsafeBytes {
                ek_all_finite_f32(
                    $0.baseAddress?.assumingMemoryBound(to: Float.self), elementCount) != 0
            }
        case .float64, .float16, .bfloat16:
            elements(as: Double.self).allSatisfy { $0.isFinite }
        case .bool, .uint8, .int32, .int64: true
        }
    }
}
