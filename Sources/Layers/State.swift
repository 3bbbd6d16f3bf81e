import Arrays
import Graph

/// A cell for what a layer remembers and does not learn: running statistics and counts.
public final class State {
    /// The last component of the name in checkpoints, such as `running_mean`.
    public let name: String
    public let initialValue: NDArray
    public private(set) var variable: Variable

    public init(_ name: String, _ initialValue: NDArray) {
        self.name = name
        self.initialValue = initialValue
        variable = Variable(initialValue)
    }

    /// The value as a tensor; see `Variable.tensor`.
    public var tensor: Tensor { variable.tensor }

    /// The present value. Setting traps unless shape and type stay the same.
    public var value: NDArray {
        get { variable.value }
        set { variable.value = newValue }
    }

    /// Proposes a new value for when the step commits, converted to this state's element type.
    public func propose(_ value: Tensor) { variable.propose(value.cast(to: variable.spec.type)) }

    /// Back to the initial value.
    public func reset() { value = initialValue.converted(to: variable.spec.type) }

    /// Takes a wider floating-point type; statistics are never narrowed.
    public func widen(to type: ElementType) {
        let present = variable.spec.type
        guard present.isFloatingPoint, type.isFloatingPoint, type.byteCount > present.byteCount
        else { return }
        variable = Variable(value.converted(to: type))
    }
}
