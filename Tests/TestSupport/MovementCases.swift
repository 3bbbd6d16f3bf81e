import Arrays
import Graph

extension OperationCases {
    /// What changes shapes, and what multiplies matrices.
    static let movements: [OperationCase] = reshapes + transposes + slices + joins

    private static let reshapes: [OperationCase] =
        [
            ([6, 4], [3, 8]), ([3, 8], [6, 4]), ([5, 2, 3], [5, 6]), ([5, 6], [5, 3, 2]),
            ([4, 3], [3, 4]), ([12], [3, 4]), ([1], []), ([3, 4], [1, 3, 4]),
        ].map { (from: Shape, to: Shape) in
            OperationCase("reshape to \(to)", [.normal(from)]) { [$0[0].reshape(to)] }
        }
        + [
            ([], [3]), ([1], [4]), ([3, 1], [3, 4]), ([1, 4], [3, 4]), ([4], [3, 4]),
            ([3, 1, 2], [3, 4, 2]), ([1, 1], [5, 1]), ([2, 1], [3, 2, 4]), ([1, 1], [1, 3]),
        ].map { (from: Shape, to: Shape) in
            OperationCase("broadcast to \(to)", [.normal(from)]) { [$0[0].broadcast(to: to)] }
        }
        + [
            OperationCase("copy", [.normal([3, 5])]) { [Tensor(Copy(), $0[0])] },
            OperationCase("cast", [.spaced([3, 5])]) {
                [$0[0].cast(to: .int32).cast(to: $0[0].elementType) * $0[0]]
            },
        ]

    private static let transposes: [OperationCase] = [
        ([3, 5], [1, 0]), ([1, 5], [1, 0]), ([2, 3, 4], [0, 2, 1]), ([2, 3, 4], [2, 0, 1]),
        ([2, 3, 1, 4], [0, 3, 1, 2]), ([2, 3, 4], [-1, -2, -3]), ([], []),
    ].map { (shape: Shape, axes: [Int]) in
        OperationCase("transpose to \(axes)", [.normal(shape)]) {
            [$0[0].transposed(axes: axes).square()]
        }
    }

    private static let slices: [OperationCase] = [
        OperationCase("row", [.normal([4, 3])]) { [$0[0][2].square(), $0[0][-1]] },
        OperationCase("column", [.normal([4, 3])]) { [$0[0][0..., 1].square()] },
        OperationCase("rows", [.normal([5, 3])]) { [$0[0][1..<4].square(), $0[0][3...]] },
        OperationCase("box", [.normal([3, 5, 4])]) { [$0[0][0..<3, 1...3, ..<2].square()] },
        OperationCase("element", [.normal([3, 2])]) { [$0[0][1, 1].square()] },
        OperationCase("empty slice", [.normal([3, 2])]) {
            [$0[0][0..., 1..<1].sum(axes: [1]) + $0[0].sum(axes: [1])]
        },
        OperationCase("pad", [.normal([3, 2])]) {
            [$0[0].padded(before: [0, 1], after: [0, 2]).square() + 1]
        },
        OperationCase("pad rows", [.normal([3, 2])]) {
            [$0[0].padded(before: [2, 0], after: [1, 1]).square() + 1]
        },
        OperationCase("touching and overlapping rows", [.normal([6, 2])]) { x in
            [0..<2, 2..<3, 3..<5, 1..<4, 4..<6, 0..<2].map { x[0].sliced($0, axis: 0).square() }
        },
        OperationCase("touching and distant columns", [.normal([3, 7])]) { x in
            [4..<5, 0..<2, 5..<7, 2..<3].map { x[0].sliced($0, axis: 1).square() } + [x[0].exp()]
        },
        OperationCase("touching boxes", [.normal([4, 4])]) { x in
            [x[0][..<2, ..<2], x[0][2..., ..<2], x[0][2..., 2...]].map { $0.square() }
        },
        OperationCase("split", [.normal([4, 6])]) { x in
            let parts = x[0].split(count: 3, axis: -1) + x[0].split(sizes: [4, 2], axis: 1)
            return parts.map { $0.square() } + x[0].split(sizes: [1, 0, 3])
        },
    ]

    private static let joins: [OperationCase] = [
        OperationCase("concatenate rows", [.normal([2, 3]), .normal([1, 3], seed: 2)]) {
            [Tensor.concatenate($0).square()]
        },
        OperationCase(
            "concatenate columns",
            [.normal([3, 2]), .normal([3, 1], seed: 2), .normal([3, 4], seed: 3)]
        ) { [Tensor.concatenate($0, axis: -1).square()] },
        OperationCase("concatenate inner", [.normal([2, 1, 3]), .normal([2, 4, 3], seed: 2)]) {
            [Tensor.concatenate($0, axis: 1).square()]
        },
        OperationCase("stack", [.normal([3, 2]), .normal([3, 2], seed: 2)]) {
            [Tensor.stack($0).square(), Tensor.stack($0, axis: -1), Tensor.stack($0, axis: 1)]
        },
    ]

    static let products: [OperationCase] = [
        ([], 4, 3, 5), ([], 1, 1, 1), ([], 7, 1, 3), ([3], 2, 4, 3), ([2, 2], 1, 3, 2),
    ].flatMap { (stack: [Int], m: Int, n: Int, k: Int) in
        [(false, false), (true, false), (false, true), (true, true)].map { ta, tb in
            let a = Shape(stack + (ta ? [k, m] : [m, k]))
            let b = Shape(stack + (tb ? [n, k] : [k, n]))
            let name = "matmul\(ta ? ", first transposed" : "")\(tb ? ", second transposed" : "")"
            return OperationCase(name, [.normal(a), .normal(b, seed: 2)]) {
                [$0[0].matmul($0[1], transposed: ta, transposingOther: tb)]
            }
        }
    }
}
