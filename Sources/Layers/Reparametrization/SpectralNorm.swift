import Arrays
import Graph
import Runtime

/// Spectral normalization (Miyato et al. 2018): the weight divided by its largest singular value, so that
/// the layer stretches nothing.
///
/// The value is estimated by power iteration, one step for each training call, from a vector `u` that is
/// kept; in the gradient the singular vectors are constants.
public final class SpectralNorm: Reparametrized {
    /// The left singular vector so far, `[units]`; `weight_u` in checkpoints.
    public let u: State
    public let iterations: Int

    /// - Parameter iterations: power iterations for each training call.
    public init(_ layer: Module, iterations: Int = 1, weight name: String = "weight") {
        precondition(iterations > 0, "SpectralNorm: expected iterations, found \(iterations)")
        self.iterations = iterations
        var units = 1
        for case (name, .parameter(let parameter)) in layer.members() where parameter.shape.rank > 0
        {
            units = parameter.shape[0]
        }
        u = State("weight_u", Self.start(units: units))
        super.init(layer, weight: name)
    }

    /// A unit vector to begin with, the same each time.
    public static func start(units: Int) -> NDArray {
        let values = Philox(key: 0x5EC7_4A11).normal([units])
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return NDArray(values.map { Float($0 / length) }, shape: [units])
    }

    override public var ownMembers: [(name: String, member: Module.Member)] {
        [("weight_u", .state(u))]
    }

    override public func weight(_ raw: Tensor, _ context: Context) -> Tensor {
        let steps = context.isTraining ? iterations : 0
        let (weight, next) = Self.weight(raw, u: u.tensor, iterations: steps)
        if steps > 0, Trace.current != nil { u.propose(next) }
        return weight
    }

    /// Brings `u` near the singular vector of the present weight.
    public func warmUp(iterations: Int = 15) {
        let (_, next) = Self.weight(Tensor(raw.value), u: u.tensor, iterations: iterations)
        u.value = next.evaluate().converted(to: u.value.elementType)
    }

    /// The weight over its largest singular value as `u` shows it after some power iterations, and that u.
    ///
    /// With `r = Wᵀ u`, an iteration makes `l = W r / |r|²` and then the next r as `Wᵀ l`, so that both
    /// products can be made in one pass over W: of l, only the length is wanted as well. The largest
    /// singular value is `u · W v = |r| / |l|`.
    public static func weight(
        _ raw: Tensor, u: Tensor, iterations: Int
    ) -> (weight: Tensor, u: Tensor) {
        var next = u
        let weight = raw.overUnits { matrix in
            let constant = matrix.stoppingGradient()
            let type = matrix.elementType
            var left = u.cast(to: type).reshape([matrix.shape[0], 1])
            var right = constant.matmul(left, transposed: true)
            var inverse = inverseLength(right)
            for _ in 0..<iterations {
                // A scale that keeps both products in range: |l| is 1 when all has converged.
                left =
                    constant.matmul(right * inverse.cast(to: type)) * inverse.cast(to: type)
                right = constant.matmul(left, transposed: true)
                inverse = inverseLength(right)
            }
            let shortening = iterations > 0 ? inverseLength(left) : Tensor.ones([], .float64)
            next = (left * shortening.cast(to: type)).reshape([matrix.shape[0]])
            let direction = right.cast(to: .float64) * (inverse * shortening)
            let image = matrix.matmul(left.stoppingGradient(), transposed: true)
            let sigma = (image.cast(to: .float64) * direction.stoppingGradient()).sum()
            let isZero = sigma .== 0
            let divisor = Tensor.select(isZero, Tensor.ones([], .float64), sigma)
            return matrix * divisor.reciprocal().cast(to: type)
        }
        return (weight, next)
    }

    /// 1 over a column's length, float64; 0 for zeros.
    private static func inverseLength(_ column: Tensor) -> Tensor {
        inverseDeviation(column.cast(to: .float64).square().sum(), epsilon: 0)
    }
}
