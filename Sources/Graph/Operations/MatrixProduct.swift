import Arrays

/// The product of two matrices, or of two stacks of matrices with equal leading axes.
///
/// `a` is `[..., m, k]` (or `[..., k, m]` when transposed), `b` is `[..., k, n]` (or `[..., n, k]`).
public struct MatrixProduct: Operation {
    public let transposesA: Bool
    public let transposesB: Bool

    public init(transposesA: Bool = false, transposesB: Bool = false) {
        self.transposesA = transposesA
        self.transposesB = transposesB
    }

    public var name: String { "matmul" + (transposesA ? "ᵀ" : "·") + (transposesB ? "ᵀ" : "·") }

    /// The sizes of one product.
    public func extents(_ a: Shape, _ b: Shape) -> (m: Int, n: Int, k: Int) {
        let rank = a.rank
        let (m, k) = transposesA ? (a[rank - 1], a[rank - 2]) : (a[rank - 2], a[rank - 1])
        return (m, transposesB ? b[rank - 2] : b[rank - 1], k)
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (a, b) = (inputs[0].shape, inputs[1].shape)
        let type = commonType(inputs)
        guard type.isFloatingPoint else {
            fail("expected floating-point tensors, found \(inputs[0])")
        }
        guard a.rank >= 2, a.rank == b.rank, a.dropLast(2).elementsEqual(b.dropLast(2)) else {
            fail("expected two matrices or equal stacks of matrices, found \(a) and \(b)")
        }
        let (m, n, k) = extents(a, b)
        let found = transposesB ? b[b.rank - 1] : b[b.rank - 2]
        guard found == k else {
            fail(
                "the inner extents differ: \(a)\(transposesA ? "ᵀ" : "") times \(b)\(transposesB ? "ᵀ" : "")"
            )
        }
        return [TensorSpec(Shape(a.dropLast(2) + [m, n]), type)]
    }

    /// Stacks split by their first axis. Of single matrices, the rows of the result split: they follow the
    /// rows of `a`; when `a` is transposed they need all of both, and are still independent of each other.
    /// A transposed matrix times a column is a sum over the matrix's rows, which are read where they lie.
    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        if inputs[0].shape.rank > 2 { return .rows(aligned: [true, true]) }
        if isColumnSum(outputs[0].shape) { return .reduction(aligned: [true, true]) }
        return .rows(aligned: [!transposesA, false])
    }

    /// Whether this adds up the rows of `a`, each times a number.
    public func isColumnSum(_ result: Shape) -> Bool {
        transposesA && !transposesB && result.rank == 2 && result[1] == 1
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (a, b) = (call.inputs[0], call.inputs[1])
        let dy = call.gradient
        func product(_ x: Tensor, _ y: Tensor, _ tx: Bool, _ ty: Bool) -> Tensor {
            Tensor(MatrixProduct(transposesA: tx, transposesB: ty), x, y)
        }
        // y = A B with A = a or aᵀ: dA = dy Bᵀ, dB = Aᵀ dy.
        let da =
            transposesA ? product(b, dy, transposesB, true) : product(dy, b, false, !transposesB)
        let db =
            transposesB ? product(dy, a, true, transposesA) : product(a, dy, !transposesA, false)
        return [call.wanted[0] ? da : nil, call.wanted[1] ? db : nil]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (a, b) = (inputs[0], inputs[1])
        let (m, n, k) = extents(a.shape, b.shape)
        let count = a.shape.dropLast(2).reduce(1, *)
        var result = [T](repeating: 0, count: count * m * n)
        for matrix in 0..<count {
            for i in 0..<m {
                for j in 0..<n {
                    var sum: T = 0
                    for p in 0..<k {
                        let left = a.elements[
                            matrix * m * k + (transposesA ? p * m + i : i * k + p)]
                        let right = b.elements[
                            matrix * k * n + (transposesB ? j * k + p : p * n + j)]
                        sum += left * right
                    }
                    result[(matrix * m + i) * n + j] = sum
                }
            }
        }
        return [Values(shape: Shape(a.shape.dropLast(2) + [m, n]), result)]
    }
}

extension Tensor {
    /// The matrix product, of single matrices or of equal stacks; either side may be taken transposed.
    public func matmul(_ other: Tensor, transposed: Bool = false, transposingOther: Bool = false)
        -> Tensor
    {
        Tensor(MatrixProduct(transposesA: transposed, transposesB: transposingOther), self, other)
    }
}
