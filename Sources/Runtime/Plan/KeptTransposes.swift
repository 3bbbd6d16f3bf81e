import Arrays
import CKernels
import Graph

/// Transposes of weights that last from run to run.
///
/// A step that multiplies by a transposed weight and updates the weight in place would transpose all of
/// it at its beginning, which no other work waits for less. Instead the transpose is kept, and the shard
/// that updates rows of the weight writes them into the transpose while they are in cache.
struct KeptTransposes {
    /// The transposing nodes, with the leaf that each transposes.
    private(set) var leaves: [Node: Node] = [:]

    /// - Parameter commits: the nodes that overwrite variables, each with the variables' leaves.
    init(_ program: TracedStep, _ nodes: [Node], commits: [Node: [Node]]) {
        let overwritten = Set(commits.values.joined())
        let roots = Set(program.roots.map(\.node))
        for node in nodes where !roots.contains(node) {
            guard (node.operation as? Transpose)?.permutation == [1, 0],
                node.outputs[0].type == .float32, let leaf = node.inputs.first?.node,
                overwritten.contains(leaf)
            else { continue }
            leaves[node] = leaf
        }
    }

    func contains(_ node: Node) -> Bool { leaves[node] != nil }
}

/// Writes rows of a weight, just updated, into its kept transpose.
final class KeptTransposeKernel: Kernel {
    private let source: Operand
    private let target: UnsafeMutablePointer<Float>
    private let rows, columns, rowsPerUnit: Int

    /// - Parameters:
    ///   - source: the weight `[rows, columns]`, split by units.
    ///   - units: nil where the weight is updated at once.
    init(
        _ source: Operand, _ target: UnsafeMutablePointer<Float>, shape: Shape,
        units: Schedule.Units?
    ) {
        self.source = source
        self.target = target
        (rows, columns) = (shape[0], shape[1])
        rowsPerUnit = units.map { $0.count > 0 ? shape[0] / $0.count : 0 } ?? shape[0]
    }

    override func run(_ task: ShardTask) {
        let first = task.start * rowsPerUnit
        ek_transpose_f32(
            source.pointer(task), rowsPerUnit * task.count, columns, columns, target + first, rows)
    }
}

/// A kept transpose as a plan holds it, and whether it is still that of its variable.
struct KeptTranspose {
    let variable: Variable
    let target: UnsafeMutablePointer<Float>
    /// The version of the variable that the transpose belongs to; none at first.
    private var version: UInt64?

    init(_ variable: Variable, _ target: UnsafeMutablePointer<Float>) {
        self.variable = variable
        self.target = target
    }

    /// Transposes anew what somebody else has changed: a checkpoint that was loaded, another plan.
    func refresh() {
        guard variable.version != version else { return }
        let (value, shape) = (variable.value, variable.spec.shape)
        value.withElements(Float.self) {
            guard let start = $0.baseAddress else { return }
            ek_transpose_f32(start, shape[0], shape[1], shape[1], target, shape[0])
        }
    }

    /// To be called after a run, which has written both or neither.
    mutating func settle() { version = variable.version }
}
