import Arrays

/// A number, or a list of equally long lists, inside a tensor literal.
///
/// Tensors take list literals only, not single numbers: `x * 2` then has one meaning.
public enum TensorLiteral: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByArrayLiteral
{
    case number(Double)
    case list([TensorLiteral])

    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(arrayLiteral elements: TensorLiteral...) { self = .list(elements) }

    var shape: Shape {
        switch self {
        case .number:
            return []
        case .list(let elements):
            let inner = elements.first?.shape ?? []
            for element in elements where element.shape != inner {
                preconditionFailure(
                    "a tensor literal needs equal rows, found shapes \(inner) and \(element.shape)")
            }
            return Shape([elements.count] + inner)
        }
    }

    var numbers: [Double] {
        switch self {
        case .number(let value): [value]
        case .list(let elements): elements.flatMap(\.numbers)
        }
    }
}

extension Tensor: ExpressibleByArrayLiteral {
    /// A float32 tensor: `let t: Tensor = [[1, 2], [3, 4]]`. Traps where rows differ in length.
    public init(arrayLiteral elements: TensorLiteral...) {
        let literal = TensorLiteral.list(elements)
        self.init(NDArray(literal.numbers, shape: literal.shape).converted(to: .float32))
    }
}
