import Arrays
import CKernels
import COneDNN
import Graph

/// Matrix products on the calling worker alone: through oneDNN's single-precision GEMM, and those of so few
/// rows that its preparations do not pay, as most shards are, by a loop of our own.
final class MatrixProductKernel: Kernel {
    private let a, b, y: Operand
    private let operation: MatrixProduct
    private let extents: (m: Int, n: Int, k: Int)
    private let rowsPerUnit: Int
    private let matricesPerUnit: Int
    private let isStack: Bool
    private let usesLibrary: Bool

    /// Multiplications up to which a product of any shape is small.
    private static let smallProduct = 1 << 16
    /// Rows, and inner extent, up to which an untransposed right side is best read where it is.
    private static let fewRows = 32
    private static let shortRows = 1024

    init?(_ call: KernelCall, _ operation: MatrixProduct) {
        guard call.outputSpecs[0].type == .float32 else { return nil }
        a = call.inputs[0]
        b = call.inputs[1]
        y = call.outputs[0]
        self.operation = operation
        let shape = call.inputSpecs[0].shape
        extents = operation.extents(shape, call.inputSpecs[1].shape)
        isStack = shape.rank > 2
        let units = call.units?.count ?? 1
        rowsPerUnit = extents.m / max(units, 1)
        matricesPerUnit = shape.dropLast(2).reduce(1, *) / max(units, 1)
        let rows = isStack ? extents.m : rowsPerUnit * call.unitsPerShard
        let isSmall = rows * extents.n * extents.k <= Self.smallProduct
        let isFlat =
            !operation.transposesB && rows <= Self.fewRows && extents.k <= Self.shortRows
        usesLibrary = operation.transposesA && operation.transposesB || !(isSmall || isFlat)
    }

    override func run(_ task: ShardTask) {
        let (m, n, k) = extents
        if isStack {
            for matrix in 0..<(matricesPerUnit * task.count) {
                multiply(
                    a.pointer(task) + matrix * m * k, b.pointer(task) + matrix * k * n,
                    y.pointer(task) + matrix * m * n, rows: m, n, k)
            }
            return
        }
        // Rows of the result are columns of a transposed left side, which every shard sees whole.
        let columns = operation.transposesA ? task.start * rowsPerUnit : 0
        multiply(
            a.pointer(task) + columns, b.pointer(task), y.pointer(task),
            rows: rowsPerUnit * task.count,
            n, k)
    }

    private func multiply(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
        rows: Int, _ n: Int, _ k: Int
    ) {
        guard rows > 0, n > 0 else { return }
        guard k > 0 else {
            y.update(repeating: 0, count: rows * n)
            return
        }
        let (lda, ldb) = (
            operation.transposesA ? extents.m : k,
            self.b.rowStride ?? (operation.transposesB ? k : n)
        )
        guard usesLibrary else {
            ek_product_f32(
                operation.transposesA ? 1 : 0, operation.transposesB ? 1 : 0, rows, n, k, a, lda, b,
                ldb, y)
            return
        }
        let status = dnnl_sgemm(
            operation.transposesA ? CChar(UInt8(ascii: "T")) : CChar(UInt8(ascii: "N")),
            operation.transposesB ? CChar(UInt8(ascii: "T")) : CChar(UInt8(ascii: "N")),
            dnnl_dim_t(rows), dnnl_dim_t(n), dnnl_dim_t(k), 1,
            a, dnnl_dim_t(lda), b, dnnl_dim_t(ldb), 0, y, dnnl_dim_t(n))
        precondition(status == dnnl_success, "matmul: oneDNN refused \(rows)x\(k) times \(k)x\(n)")
    }
}

/// A matrix times a column, which is as fast as the matrix can be read.
final class ColumnProductKernel: Kernel {
    private let a, b, y: Operand
    private let rowsPerUnit, columns: Int

    init(_ call: KernelCall) {
        (a, b, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        rowsPerUnit = call.rowsPerUnit(call.inputSpecs[0])
        columns = call.inputSpecs[0].shape[1]
    }

    override func run(_ task: ShardTask) {
        ek_product_column_f32(
            rowsPerUnit * task.count, columns, a.pointer(task), b.pointer(task), y.pointer(task))
    }
}

/// A transposed matrix times a column: the sum of the matrix's rows, each times a number.
final class RowSumProductKernel: Kernel {
    private let a, b, y: Operand
    private let rowsPerUnit, columns: Int
    private let partials: GroupPartials

    init(_ call: KernelCall) {
        (a, b, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        rowsPerUnit = call.rowsPerUnit(call.inputSpecs[0])
        columns = call.inputSpecs[0].shape[1]
        partials = GroupPartials(groups: call.groupCount, length: columns)
    }

    override func run(_ task: ShardTask) {
        ek_add_scaled_rows_f32(
            rowsPerUnit * task.count, columns, a.pointer(task), b.pointer(task),
            partials.opened(task))
    }

    override func finish(_ task: ShardTask) {
        partials.addInTree()
        ek_convert_f64_f32(partials[0], y.pointer(task), columns)
    }
}

extension MatrixProduct: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        guard call.outputSpecs[0].type == .float32 else { return nil }
        if isColumnSum(call.outputSpecs[0].shape) { return RowSumProductKernel(call) }
        let isColumn = call.outputSpecs[0].shape.rank == 2 && call.outputSpecs[0].shape[1] == 1
        return isColumn && !transposesA
            ? ColumnProductKernel(call) : MatrixProductKernel(call, self)
    }
}
