import Arrays
import RealModule

/// The scalar types of the reference backend.
public protocol ReferenceScalar: Real, BinaryFloatingPoint, Element {}
extension Float: ReferenceScalar {}
extension Double: ReferenceScalar {}

/// What an operation means: its shape rule, its gradient rule, how it splits over the rows of a batch,
/// and its plain implementation.
///
/// An operation is a small value; two equal operations on the same inputs compute the same thing.
public protocol Operation: Hashable, Sendable {
    /// The name in plans and error messages, such as `matmul`.
    var name: String { get }

    /// The shape rule. Traps with a sentence that says what was expected and found.
    func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec]

    /// The gradient rule: a gradient for each input (nil where there is none), built of graph operations,
    /// so that it can be differentiated again.
    func inputGradients(_ call: GradientCall) -> [Tensor?]

    /// How the work splits over rows (axis 0) of inputs and outputs.
    func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding

    /// The reference implementation: short, slow, obviously right.
    func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>]

    /// For each output, the input whose memory it may overwrite, if any.
    var inPlace: [Int?] { get }

    /// For operations whose sharding is a reduction: the result for two runs of rows, from the results of
    /// each. The default adds.
    func merge<T: ReferenceScalar>(_ first: [Values<T>], _ second: [Values<T>]) -> [Values<T>]
}

/// How an operation's work splits over rows, the entries of axis 0.
public enum Sharding: Hashable, Sendable {
    /// Row r of every output follows from row r of the inputs marked true and from the whole of the others.
    case rows(aligned: [Bool])
    /// Outputs merge from partial results over runs of rows of the inputs marked true.
    case reduction(aligned: [Bool])
    /// Needs everything at once.
    case whole
}

/// What a gradient rule is given.
public struct GradientCall {
    public let node: Node
    /// The gradient of each output; nil where nothing depends on that output.
    public let upstream: [Tensor?]
    /// Whether the gradient of an input is wanted; rules may skip the others.
    public let wanted: [Bool]

    public var inputs: [Tensor] { node.inputs }
    public var outputs: [Tensor] { node.tensors }
    /// The gradient of the only output. Gradient rules are called only when some output has one.
    public var gradient: Tensor { upstream[0]! }
}

extension Operation {
    public var inPlace: [Int?] { [] }

    public func merge<T: ReferenceScalar>(_ first: [Values<T>], _ second: [Values<T>]) -> [Values<
        T
    >] {
        zip(first, second).map { a, b in
            Values(shape: a.shape, zip(a.elements, b.elements).map { $0 + $1 })
        }
    }

    /// Traps with the operation's name in front.
    // Always inlined: Swift 6.3 takes the call for one without effects when it specializes this for `Reshape`,
    // and an optimized program went on with a wrong shape.
    @inline(__always)
    public func fail(_ message: String) -> Never { preconditionFailure("\(name): \(message)") }

    /// Traps unless all the inputs have one floating-point type, which it returns.
    public func commonType(_ inputs: [TensorSpec]) -> ElementType {
        let type = inputs[0].type
        for input in inputs where input.type != type {
            fail(
                "the operands' types differ, found \(inputs.map(\.type.rawValue).joined(separator: " and "));"
                    + " convert one with cast(to:)")
        }
        return type
    }
}

/// Row-wise sharding by comparing extents: an input of the output's rank whose axis 0 has the output's
/// extent is aligned; anything smaller is broadcast and needed whole.
public func broadcastSharding(_ inputs: [TensorSpec], _ output: TensorSpec) -> Sharding {
    guard output.shape.rank > 0 else { return .whole }
    let aligned = inputs.map {
        $0.shape.rank == output.shape.rank && $0.shape[0] == output.shape[0]
    }
    return aligned.contains(true) ? .rows(aligned: aligned) : .whole
}
