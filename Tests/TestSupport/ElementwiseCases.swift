import Arrays
import Graph

extension OperationCases {
    /// Shapes with one element, an odd number of them, and more than a SIMD register holds.
    private static let shapes: [Shape] = [[], [1], [7], [3, 5], [2, 3, 4], [37, 1]]

    static let elementwise = unary + activations + binary + comparisons

    private static func everyShape(
        _ name: String, _ sample: (Shape) -> SampleInput,
        _ build: @escaping @Sendable (Tensor) -> Tensor
    ) -> [OperationCase] {
        shapes.map { shape in OperationCase(name, [sample(shape)]) { [build($0[0])] } }
    }

    private static func positive(_ shape: Shape) -> SampleInput { .uniform(shape, in: 0.3..<3) }
    private static func normal(_ shape: Shape) -> SampleInput { .normal(shape) }
    private static func spaced(_ shape: Shape) -> SampleInput { .spaced(shape) }

    static let unary: [OperationCase] = [
        everyShape("negate", normal) { -$0 },
        everyShape("abs", spaced) { $0.abs() },
        everyShape("sign", spaced) { $0.sign() },
        everyShape("exp", normal) { $0.exp() },
        everyShape("log", positive) { $0.log() },
        everyShape("sqrt", positive) { $0.sqrt() },
        everyShape("rsqrt", positive) { $0.rsqrt() },
        everyShape("reciprocal", positive) { $0.reciprocal() },
        everyShape("square", normal) { $0.square() },
        everyShape("tanh", normal) { $0.tanh() },
        everyShape("sigmoid", normal) { $0.sigmoid() },
        everyShape("softplus", normal) { $0.softplus() },
        everyShape("erf", normal) { $0.erf() },
        everyShape("add scalar", normal) { 2.5 - ($0 + 1) },
        everyShape("multiply scalar", normal) { 3 * $0 / 0.7 },
        everyShape("divide scalar", positive) { 2 / $0 },
        everyShape("power 3", normal) { $0.power(3) },
        everyShape("power 1.5", positive) { $0.power(1.5) },
        everyShape("power 2 and 1 and 0", normal) { $0.power(2) + $0.power(1) + $0.power(0) },
        everyShape("clamp", spaced) { $0.clamped(to: -0.4...1.2) },
    ].flatMap { $0 }

    static let activations: [OperationCase] = [
        everyShape("relu", spaced) { $0.relu() },
        everyShape("leakyReLU", spaced) { $0.leakyReLU(slope: 0.1) },
        everyShape("elu", spaced) { $0.elu(scale: 1.3) },
        everyShape("gelu", normal) { $0.gelu() },
        everyShape("gelu tanh", normal) { $0.gelu(approximate: true) },
        everyShape("silu", normal) { $0.silu() },
    ].flatMap { $0 }

    /// Operands that broadcast in every way.
    private static let pairs: [(Shape, Shape)] = [
        ([], []), ([7], [7]), ([3, 5], [3, 5]), ([3, 5], [5]), ([5], [3, 5]), ([3, 5], [3, 1]),
        ([3, 1], [1, 5]), ([4, 3], []), ([], [4, 3]), ([2, 3, 4], [3, 1]), ([1, 3, 1], [2, 1, 4]),
    ]

    private static func everyPair(
        _ name: String, _ first: (Shape) -> SampleInput, _ second: (Shape) -> SampleInput,
        _ build: @escaping @Sendable (Tensor, Tensor) -> Tensor
    ) -> [OperationCase] {
        pairs.map { a, b in
            OperationCase(name, [first(a), second(b)]) { [build($0[0], $0[1])] }
        }
    }

    private static func other(_ shape: Shape) -> SampleInput { .normal(shape, seed: 2) }
    private static func between(_ shape: Shape) -> SampleInput {
        .spaced(shape, seed: 2, offset: 0.37)
    }

    static let binary: [OperationCase] = [
        everyPair("add", normal, other) { $0 + $1 },
        everyPair("subtract", normal, other) { $0 - $1 },
        everyPair("multiply", normal, other) { $0 * $1 },
        everyPair("divide", normal, positive) { $0 / $1 },
        everyPair("power", positive, other) { $0.power($1) },
        everyPair("minimum", spaced, between) { .minimum($0, $1) },
        everyPair("maximum", spaced, between) { .maximum($0, $1) },
        everyPair("select", spaced, between) { .select($0 .> $1, $0 * $1, $1.square()) },
    ].flatMap { $0 }

    static let comparisons: [OperationCase] = pairs.map { a, b in
        OperationCase("comparisons", [spaced(a), spaced(b)], differentiable: []) {
            let (a, b) = ($0[0], $0[1])
            return [a .== b, a .!= b, a .< b, a .<= b, a .> b, a .>= b, a .> 0.1]
        }
    }
}
