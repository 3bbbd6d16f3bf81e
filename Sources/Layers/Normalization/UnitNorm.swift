import Arrays
import Graph

/// Scales vectors to length 1: `y = x / max(|x|, epsilon)` with the Euclidean norm over an axis. A zero
/// vector stays zero. (PyTorch's `functional.normalize`, Keras's `UnitNormalization`.)
public final class UnitNorm: Module {
    public let axis: Int
    public let epsilon: Double

    /// - Parameter axis: the axis along which vectors lie.
    public init(axis: Int = -1, epsilon: Double = 1e-12) {
        checkEpsilon(epsilon, "UnitNorm")
        self.axis = axis
        self.epsilon = epsilon
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        guard axis < input.rank, axis >= -input.rank else {
            fail(context, "expected an input that has an axis \(axis), found \(input.shape)")
        }
        return input.throughFloat32 { x in
            x.overRows(of: [axis]) { rows in
                rows.groupScale(axis: 1, groups: 1, scale: inverseNorm(rows))
            }
        }
    }

    /// 1 / max(|x|, epsilon), `[rows, 1]`.
    private func inverseNorm(_ rows: Tensor) -> Tensor {
        let squares = rows.groupMeanSquare(axis: 1) * Double(rows.shape[1])
        let isShort = squares .<= epsilon * epsilon
        let root = Tensor.select(isShort, Tensor.ones([], .float64), squares).rsqrt()
        let rest = Tensor(NDArray(scalar: epsilon > 0 ? 1 / epsilon : 0))
        return Tensor.select(isShort, rest, root)
    }
}
