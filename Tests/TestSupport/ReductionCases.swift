import Arrays
import Graph

extension OperationCases {
    /// Shapes and axes: none, inner, outer, several, extents of 1.
    private static let axes: [(Shape, [Int]?)] = [
        ([], nil), ([1], nil), ([7], [0]), ([4, 5], nil), ([4, 5], [0]), ([4, 5], [-1]),
        ([1, 5], [0]), ([3, 4, 5], [0, 2]), ([3, 4, 5], [1]), ([3, 1, 5], [1, 2]),
        ([2, 3, 2, 3], [0, 1, 2]),
    ]

    private static func everyAxes(
        _ name: String, _ sample: (Shape) -> SampleInput, differentiable: [Int]? = nil,
        _ build: @escaping @Sendable (Tensor, [Int]?, Bool) -> Tensor
    ) -> [OperationCase] {
        axes.flatMap { shape, axes in
            [false, true].map { keeps in
                OperationCase(
                    "\(name) over \(axes.map { "\($0)" } ?? "all")\(keeps ? ", kept" : "")",
                    [sample(shape)], differentiable: differentiable
                ) { [build($0[0], axes, keeps)] }
            }
        }
    }

    static let reductions: [OperationCase] = [
        everyAxes("sum", { .normal($0) }) { $0.sum(axes: $1, keepingDimensions: $2) },
        everyAxes("mean", { .normal($0) }) { $0.mean(axes: $1, keepingDimensions: $2) },
        everyAxes("variance", { .normal($0) }) { $0.variance(axes: $1, keepingDimensions: $2) },
        everyAxes("max", { .spaced($0) }) { $0.max(axes: $1, keepingDimensions: $2) },
        everyAxes("min", { .spaced($0) }) { $0.min(axes: $1, keepingDimensions: $2) },
        everyAxes("any", { .booleans($0) }) { $0.any(axes: $1, keepingDimensions: $2) },
        everyAxes("all", { .booleans($0) }) { $0.all(axes: $1, keepingDimensions: $2) },
        ([[9], [4, 5], [3, 4, 5]] as [Shape]).map { shape in
            OperationCase("unbiased variance", [.normal(shape)]) {
                [$0[0].variance(axes: [0], unbiased: true)]
            }
        },
        [([7], 0), ([1, 1], 1), ([5, 9], 1), ([5, 9], 0), ([3, 4, 5], 1), ([3, 4, 5], -1)].map {
            (shape: Shape, axis: Int) in
            OperationCase("argmax along \(axis)", [.spaced(shape)], differentiable: []) {
                [$0[0].argmax(axis: axis), $0[0].argmax(axis: axis, keepingDimensions: true)]
            }
        },
    ].flatMap { $0 }
}
