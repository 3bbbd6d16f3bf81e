import Graph

/// max(x, 0); NaN stays NaN.
public final class ReLU: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor { input.relu() }
}

/// min(max(x, 0), 6) (Sandler et al. 2018).
public final class ReLU6: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        input.clamped(to: 0...6)
    }
}

/// x where x > 0, slope * x elsewhere (Maas, Hannun and Ng 2013).
public final class LeakyReLU: Module {
    public let slope: Double
    public init(slope: Double = 0.01) {
        self.slope = slope
        super.init()
    }
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        input.leakyReLU(slope: slope)
    }
}

/// x where x > 0, scale * (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016).
public final class ELU: Module {
    public let scale: Double
    public init(scale: Double = 1) {
        self.scale = scale
        super.init()
    }
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        input.elu(scale: scale)
    }
}

/// x * Phi(x), exactly or by the tanh approximation (Hendrycks and Gimpel 2016).
public final class GELU: Module {
    public let isApproximate: Bool
    public init(approximate: Bool = false) {
        isApproximate = approximate
        super.init()
    }
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        input.gelu(approximate: isApproximate)
    }
}

/// x * sigmoid(x), also called swish.
public final class SiLU: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor { input.silu() }
}

/// 1 / (1 + exp(-x))
public final class Sigmoid: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor { input.sigmoid() }
}

public final class Tanh: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor { input.tanh() }
}

/// log(1 + exp(x)), without overflow.
public final class Softplus: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor { input.softplus() }
}

/// Exponentials that sum to one along an axis.
///
/// Losses such as `crossEntropy` take logits: leave this out of networks that are trained with them.
public final class Softmax: Module {
    public let axis: Int
    public init(axis: Int = -1) {
        self.axis = axis
        super.init()
    }
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        input.softmax(axis: axis)
    }
}
