import Arrays
import Graph

/// Scales vectors to length 1: `y = x / max(|x|, epsilon)` with a norm over an axis, the Euclidean one or
/// the sum of absolute values. A zero vector stays zero. (PyTorch's `functional.normalize`, Keras's
/// `UnitNormalization`, ONNX's `LpNormalization`.)
public final class UnitNorm: Module {
    public let axis: Int
    public let epsilon: Double
    /// 2 for the Euclidean norm, 1 for the sum of absolute values.
    public let p: Int

    /// - Parameters:
    ///   - axis: the axis along which vectors lie.
    ///   - p: 1 or 2.
    public init(axis: Int = -1, epsilon: Double = 1e-12, p: Int = 2) {
        checkEpsilon(epsilon, "UnitNorm")
        precondition(p == 1 || p == 2, "UnitNorm: expected the norm p = 1 or 2, found \(p)")
        self.p = p
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
        let one = Tensor.ones([], .float64)
        let rest = Tensor(NDArray(scalar: epsilon > 0 ? 1 / epsilon : 0))
        if p == 1 {
            let norm = rows.abs().cast(to: .float64).sum(axes: [1], keepingDimensions: true)
            let isShort = norm .<= epsilon
            return Tensor.select(isShort, rest, Tensor.select(isShort, one, norm).reciprocal())
        }
        let squares = rows.groupMeanSquare(axis: 1) * Double(rows.shape[1])
        let isShort = squares .<= epsilon * epsilon
        return Tensor.select(isShort, rest, Tensor.select(isShort, one, squares).rsqrt())
    }
}
