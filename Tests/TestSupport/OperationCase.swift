import Arrays
import Graph

/// A small graph with inputs for it: one sample of what an operation must get right.
///
/// The same case serves every question that is asked of operations: gradients against finite differences,
/// slices of rows against the whole, one backend against another.
public struct OperationCase: Sendable, CustomStringConvertible {
    public let name: String
    public let samples: [SampleInput]
    /// Builds the graph on leaves (or constants) of the samples' shapes. Works for any floating-point type.
    public let build: @Sendable ([Tensor]) -> [Tensor]
    /// The positions of the inputs by which the outputs can be differentiated, twice.
    public let differentiable: [Int]

    /// - Parameter differentiable: every floating-point input by default.
    public init(
        _ name: String, _ samples: [SampleInput], differentiable: [Int]? = nil,
        build: @escaping @Sendable ([Tensor]) -> [Tensor]
    ) {
        self.name = name
        self.samples = samples
        self.build = build
        self.differentiable =
            differentiable
            ?? samples.indices.filter { samples[$0].array.elementType.isFloatingPoint }
    }

    public var description: String {
        "\(name) of \(samples.map { "\($0.array.shape)" }.joined(separator: ", "))"
    }

    /// The inputs, with those that follow the case's precision in the given floating-point type.
    public func inputs(_ type: ElementType) -> [NDArray] {
        samples.map { $0.followsPrecision ? $0.array.converted(to: type) : $0.array }
    }

    /// Leaves for inputs in the given type, and the graph's outputs on them.
    public func traced(_ type: ElementType) -> (leaves: [Tensor], outputs: [Tensor]) {
        let leaves = inputs(type).enumerated().map { position, array in
            let spec = TensorSpec(array.shape, array.elementType)
            return Tensor(InputLeaf(position: position, spec: spec))
        }
        return (leaves, build(leaves))
    }
}

/// An input of a case.
public struct SampleInput: Sendable {
    public let array: NDArray
    /// Whether the array takes the precision in which the case runs. Integers, booleans and the float64
    /// vectors of normalization do not.
    public let followsPrecision: Bool

    public init(_ array: NDArray, followsPrecision: Bool) {
        self.array = array
        self.followsPrecision = followsPrecision
    }

    private init(_ elements: [Double], _ shape: Shape, followsPrecision: Bool = true) {
        // Exact in float32, so that backends of either precision see the same numbers.
        let rounded = elements.map { Double(Float($0)) }
        self.init(NDArray(rounded, shape: shape), followsPrecision: followsPrecision)
    }

    /// Normal numbers, none nearer to zero than 0.05.
    public static func normal(_ shape: Shape, seed: UInt64 = 1) -> SampleInput {
        let numbers = Philox(key: seed).normal(shape)
        return SampleInput(numbers.map { $0 < 0 ? $0 - 0.05 : $0 + 0.05 }, shape)
    }

    /// Numbers uniform in a range.
    public static func uniform(_ shape: Shape, in range: Range<Double>, seed: UInt64 = 1)
        -> SampleInput
    {
        SampleInput(Philox(key: seed).uniform(shape, in: range), shape)
    }

    /// Numbers in no order, 0.2 apart, symmetric about zero and none of them zero; `offset`, below 1,
    /// shifts them by so many tenths.
    public static func spaced(_ shape: Shape, seed: UInt64 = 1, offset: Double = 0) -> SampleInput {
        var generator = PhiloxGenerator(seed: seed)
        let count = shape.elementCount
        let order = (0..<count).shuffled(using: &generator)
        return SampleInput(order.map { Double($0 - count / 2) * 0.2 + 0.1 + offset / 10 }, shape)
    }

    /// Float64 vectors as normalization keeps them, whatever the precision of the case.
    public static func perChannel(_ channels: Int, in range: Range<Double>, seed: UInt64 = 1)
        -> SampleInput
    {
        let numbers = Philox(key: seed).uniform([channels], in: range)
        return SampleInput(numbers, [channels], followsPrecision: false)
    }

    /// Int32 numbers below `bound`, in a row that repeats.
    public static func indices(_ shape: Shape, below bound: Int, stride: Int = 3) -> SampleInput {
        let numbers = (0..<shape.elementCount).map { Int32(($0 * stride + 1) % bound) }
        return SampleInput(NDArray(numbers, shape: shape), followsPrecision: false)
    }

    /// Int32 numbers as given.
    public static func integers(_ numbers: [Int32], shape: Shape? = nil) -> SampleInput {
        SampleInput(
            NDArray(numbers, shape: shape ?? [numbers.count]), followsPrecision: false)
    }

    /// Numbers of 0 to 255 as uint8.
    public static func bytes(_ shape: Shape, seed: UInt64 = 1) -> SampleInput {
        let numbers = Philox(key: seed).uniform(shape, in: 0..<256)
        return SampleInput(
            NDArray(numbers.map { UInt8($0) }, shape: shape), followsPrecision: false)
    }

    /// Booleans, about as many true as false.
    public static func booleans(_ shape: Shape, seed: UInt64 = 1) -> SampleInput {
        let numbers = Philox(key: seed).uniform(shape)
        return SampleInput(
            NDArray(numbers.map { $0 < 0.5 }, shape: shape), followsPrecision: false)
    }
}

/// One sample or more of every operation.
public enum OperationCases {
    public static let all =
        elementwise + reductions + movements + products + lookups + losses + random + normalization
        + groups + evoNorms + optimizers + images + augmentations
}
