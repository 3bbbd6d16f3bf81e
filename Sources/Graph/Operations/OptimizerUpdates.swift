import Arrays
import RealModule

/// What the updates of optimizers have in common.
///
/// Inputs: the parameter, its gradient, the optimizer's moments (all of one shape and type), and four
/// float64 scalars: the step size, the root correction, the shrinkage, and the gradient's scale. Outputs:
/// the parameter and the moments, in place. Before anything else the gradient is multiplied by its scale
/// (1, or what clips its norm), then `decay * w` is added (L2), then the parameter loses the share given
/// as shrinkage (decoupled decay; Loshchilov and Hutter 2019).
public protocol OptimizerUpdate: Operation {
    /// Coupled weight decay.
    var decay: Double { get }
    /// The number of moments that the update keeps per parameter.
    var momentCount: Int { get }
    /// One element: its weight (already shrunk), the gradient (scaled, with decay), and the moments.
    func update<T: ReferenceScalar>(
        _ weight: inout T, _ gradient: T, _ moments: inout [T], _ scalars: UpdateScalars<T>)
}

/// The scalars of an update, which change from step to step.
public struct UpdateScalars<T: ReferenceScalar> {
    /// The learning rate; Adam's divided by the correction of the first moment.
    public var stepSize: T
    /// Adam's `1 / sqrt(1 - beta2^t)`; 1 for others.
    public var rootCorrection: T
    /// The learning rate times the decoupled decay.
    public var shrinkage: T
    public var gradientScale: T
}

extension OptimizerUpdate {
    /// The moments come right behind parameter and gradient; the parameter is output 0.
    public var inPlace: [Int?] { [0] + (0..<momentCount).map { $0 + 2 } }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let values = inputs.dropLast()
        guard inputs.count == momentCount + 3, values.allSatisfy({ $0 == inputs[0] }),
            inputs[0].type.isFloatingPoint
        else {
            fail(
                "expected a floating-point parameter, a gradient and \(momentCount) moments of one "
                    + "shape and type, found \(inputs)")
        }
        guard inputs.last == TensorSpec([4], .float64) else {
            fail("expected four float64 scalars, found \(inputs.last!)")
        }
        return [inputs[0]] + inputs[2..<(momentCount + 2)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        if inputs[0].shape.rank == 0 { return .whole }
        return .rows(aligned: inputs.indices.map { $0 < inputs.count - 1 })
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        fail("updates of optimizers have no gradient rule")
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let values = inputs.last!.elements
        let scalars = UpdateScalars(
            stepSize: values[0], rootCorrection: values[1], shrinkage: values[2],
            gradientScale: values[3])
        var results = [inputs[0]] + inputs[2..<(momentCount + 2)]
        for index in inputs[0].elements.indices {
            var weight = inputs[0].elements[index]
            let gradient =
                inputs[1].elements[index] * scalars.gradientScale + T(decay) * weight
            weight -= scalars.shrinkage * weight
            var moments = (0..<momentCount).map { inputs[$0 + 2].elements[index] }
            update(&weight, gradient, &moments, scalars)
            results[0].elements[index] = weight
            for (position, moment) in moments.enumerated() {
                results[position + 1].elements[index] = moment
            }
        }
        return results
    }
}

/// Stochastic gradient descent: `v = momentum v + g`, then `w -= rate * (nesterov ? g + momentum v : v)`
/// (Sutskever et al. 2013, as PyTorch writes it). Without momentum there is no `v`.
public struct SGDUpdate: OptimizerUpdate {
    public let momentum: Double
    public let isNesterov: Bool
    public let decay: Double

    public init(momentum: Double, isNesterov: Bool, decay: Double) {
        (self.momentum, self.isNesterov, self.decay) = (momentum, isNesterov, decay)
    }

    public var name: String { "sgdUpdate" }
    public var momentCount: Int { momentum == 0 ? 0 : 1 }

    public func update<T: ReferenceScalar>(
        _ weight: inout T, _ gradient: T, _ moments: inout [T], _ scalars: UpdateScalars<T>
    ) {
        var direction = gradient
        if momentum != 0 {
            moments[0] = T(momentum) * moments[0] + gradient
            direction = isNesterov ? gradient + T(momentum) * moments[0] : moments[0]
        }
        weight -= scalars.stepSize * direction
    }
}

/// Adam (Kingma and Ba 2015), and AdamW by way of the shrinkage: `m = beta1 m + (1 - beta1) g`,
/// `v = beta2 v + (1 - beta2) g^2`, `w -= stepSize * m / (sqrt(v) * rootCorrection + epsilon)`.
public struct AdamUpdate: OptimizerUpdate {
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let decay: Double

    public init(beta1: Double, beta2: Double, epsilon: Double, decay: Double) {
        (self.beta1, self.beta2, self.epsilon, self.decay) = (beta1, beta2, epsilon, decay)
    }

    public var name: String { "adamUpdate" }
    public var momentCount: Int { 2 }

    public func update<T: ReferenceScalar>(
        _ weight: inout T, _ gradient: T, _ moments: inout [T], _ scalars: UpdateScalars<T>
    ) {
        moments[0] = T(beta1) * moments[0] + T(1 - beta1) * gradient
        moments[1] = T(beta2) * moments[1] + T(1 - beta2) * gradient * gradient
        let root = T.sqrt(moments[1]) * scalars.rootCorrection + T(epsilon)
        weight -= scalars.stepSize * moments[0] / root
    }
}

/// RMSProp (Hinton 2012; centred: Graves 2013), as PyTorch writes it: `s = alpha s + (1 - alpha) g^2`,
/// `u = g / (sqrt(s) + epsilon)`, `w -= rate * u`. Centred, the mean gradient's square is taken off `s`;
/// with momentum, `b = momentum b + u` takes the place of `u`. Moments: `s`, mean gradient, `b`.
public struct RMSPropUpdate: OptimizerUpdate {
    public let alpha: Double
    public let epsilon: Double
    public let momentum: Double
    public let isCentred: Bool
    public let decay: Double

    public init(alpha: Double, epsilon: Double, momentum: Double, isCentred: Bool, decay: Double) {
        (self.alpha, self.epsilon, self.decay) = (alpha, epsilon, decay)
        (self.momentum, self.isCentred) = (momentum, isCentred)
    }

    public var name: String { "rmsPropUpdate" }
    public var momentCount: Int { 1 + (isCentred ? 1 : 0) + (momentum == 0 ? 0 : 1) }

    public func update<T: ReferenceScalar>(
        _ weight: inout T, _ gradient: T, _ moments: inout [T], _ scalars: UpdateScalars<T>
    ) {
        moments[0] = T(alpha) * moments[0] + T(1 - alpha) * gradient * gradient
        var variance = moments[0]
        if isCentred {
            moments[1] = T(alpha) * moments[1] + T(1 - alpha) * gradient
            variance -= moments[1] * moments[1]
        }
        var direction = gradient / (T.sqrt(variance) + T(epsilon))
        if momentum != 0 {
            let last = moments.count - 1
            moments[last] = T(momentum) * moments[last] + direction
            direction = moments[last]
        }
        weight -= scalars.stepSize * direction
    }
}
