import Arrays
import COneDNN
import Graph

/// Matrix products through oneDNN's single-precision GEMM, on the calling worker alone.
final class MatrixProductKernel: Kernel {
    private let a, b, y: Operand
    private let operation: MatrixProduct
    private let extents: (m: Int, n: Int, k: Int)
    private let rowsPerUnit: Int
    private let matricesPerUnit: Int
    private let isStack: Bool

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
        let status = dnnl_sgemm(
            operation.transposesA ? CChar(UInt8(ascii: "T")) : CChar(UInt8(ascii: "N")),
            operation.transposesB ? CChar(UInt8(ascii: "T")) : CChar(UInt8(ascii: "N")),
            dnnl_dim_t(rows), dnnl_dim_t(n), dnnl_dim_t(k), 1,
            a, dnnl_dim_t(operation.transposesA ? extents.m : k),
            b, dnnl_dim_t(operation.transposesB ? k : n), 0, y, dnnl_dim_t(n))
        precondition(status == dnnl_success, "matmul: oneDNN refused \(rows)x\(k) times \(k)x\(n)")
    }
}

extension MatrixProduct: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { MatrixProductKernel(call, self) }
}
