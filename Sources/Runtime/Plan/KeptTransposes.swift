import Arrays
import CKernels
import Graph

/// Transposes of weights that last from run to run.
///
/// A step that multiplies by a transposed weight and updates the weight in place would transpose all of
/// it at its beginning, which no other work waits for less. Instead the transpose is kept, and the shard
/// that updates rows of the weight writes them into the transpose while they are in cache.
package struct KeptTransposes {
    /// The transposing nodes, with the leaf that each transposes.
    package private(set) var leaves: [Node: Node] = [:]
    /// Those whose rows lie further apart than they are long, with the elements from one row to the next.
    private var strides: [Node: Int] = [:]

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
        for node in leaves.keys {
            let readers = nodes.filter { $0.inputs.contains(node.tensor) }
            if readers.allSatisfy({ Self.takesPaddedRows($0, of: node) }) {
                strides[node] = Self.paddedStride(node.outputs[0].shape[1])
            }
        }
    }

    func contains(_ node: Node) -> Bool { leaves[node] != nil }

    /// Elements from one row of a kept transpose to the next.
    func rowStride(_ node: Node) -> Int { strides[node] ?? node.outputs[0].shape[1] }

    func byteCount(_ node: Node) -> Int {
        node.outputs[0].shape[0] * rowStride(node) * Swift.MemoryLayout<Float>.stride
    }

    /// A matrix product walks down a few columns of its right side. Rows that are an even number of cache
    /// lines apart, above all a power of two, share few of a cache's sets there and drive each other out.
    private static func paddedStride(_ columns: Int) -> Int {
        let line = 64 / Swift.MemoryLayout<Float>.stride
        return columns % (2 * line) == 0 ? columns + line : columns
    }

    private static func takesPaddedRows(_ reader: Node, of transpose: Node) -> Bool {
        guard let product = reader.operation as? MatrixProduct else { return false }
        return reader.inputs[0] != transpose.tensor && !product.transposesB
            && reader.outputs[0].shape[1] > 1
    }
}

/// Writes rows of a weight, just updated, into its kept transpose.
final class KeptTransposeKernel: Kernel {
    private let source: Operand
    private let target: UnsafeMutablePointer<Float>
    private let columns, rowsPerUnit, stride: Int

    /// - Parameters:
    ///   - source: the weight `[rows, columns]`, split by units.
    ///   - stride: elements from one row of the transpose to the next.
    ///   - units: nil where the weight is updated at once.
    init(
        _ source: Operand, _ target: UnsafeMutablePointer<Float>, shape: Shape, stride: Int,
        units: Schedule.Units?
    ) {
        self.source = source
        self.target = target
        columns = shape[1]
        self.stride = stride
        rowsPerUnit = units.map { $0.count > 0 ? shape[0] / $0.count : 0 } ?? shape[0]
    }

    override func run(_ task: ShardTask) {
        let first = task.start * rowsPerUnit
        ek_transpose_f32(
            source.pointer(task), rowsPerUnit * task.count, columns, columns, target + first, stride
        )
    }
}

/// A kept transpose as a plan holds it, and whether it is still that of its variable.
struct KeptTranspose {
    let variable: Variable
    let target: UnsafeMutablePointer<Float>
    private let stride: Int
    /// The version of the variable that the transpose belongs to; none at first.
    private var version: UInt64?

    /// - Parameter stride: elements from one row of the transpose to the next.
    init(_ variable: Variable, _ target: UnsafeMutablePointer<Float>, stride: Int) {
        self.variable = variable
        self.target = target
        self.stride = stride
    }

    /// Transposes anew what somebody else has changed: a checkpoint that was loaded, another plan.
    func refresh() {
        guard variable.version != version else { return }
        let (value, shape) = (variable.value, variable.spec.shape)
        value.withElements(Float.self) {
            guard let start = $0.baseAddress else { return }
            ek_transpose_f32(start, shape[0], shape[1], shape[1], target, stride)
        }
    }

    /// To be called after a run, which has written both or neither.
    mutating func settle() { version = variable.version }
}
