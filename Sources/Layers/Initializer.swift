import Arrays
import RealModule

/// How the first values of a parameter are chosen.
public struct Initializer: Hashable, Sendable {
    /// What a distribution's variance is made of.
    public enum FanMode: String, Hashable, Sendable { case fanIn, fanOut, average }
    public enum Distribution: String, Hashable, Sendable { case normal, uniform, truncatedNormal }

    enum Kind: Hashable, Sendable {
        case constant(Double)
        case normal(mean: Double, standardDeviation: Double)
        case truncatedNormal(standardDeviation: Double)
        case uniform(lower: Double, upper: Double)
        case varianceScaling(scale: Double, FanMode, Distribution)
        case orthogonal(gain: Double)
    }

    let kind: Kind

    public static let zeros = constant(0)
    public static let ones = constant(1)
    public static func constant(_ value: Double) -> Initializer {
        Initializer(kind: .constant(value))
    }

    public static func normal(mean: Double = 0, standardDeviation: Double) -> Initializer {
        Initializer(kind: .normal(mean: mean, standardDeviation: standardDeviation))
    }

    /// A normal distribution of which what lies beyond two standard deviations is drawn again.
    public static func truncatedNormal(standardDeviation: Double) -> Initializer {
        Initializer(kind: .truncatedNormal(standardDeviation: standardDeviation))
    }

    /// Uniform in `range`. Traps unless it is finite and not empty.
    public static func uniform(in range: Range<Double>) -> Initializer {
        precondition(
            range.lowerBound.isFinite && range.upperBound.isFinite && !range.isEmpty,
            "uniform: expected a finite range, found \(range)")
        return Initializer(kind: .uniform(lower: range.lowerBound, upper: range.upperBound))
    }

    /// A distribution around 0 of variance `scale / fan`.
    public static func varianceScaling(
        scale: Double, mode: FanMode, distribution: Distribution
    ) -> Initializer {
        Initializer(kind: .varianceScaling(scale: scale, mode, distribution))
    }

    /// Variance 2 / (inputs + outputs) (Glorot and Bengio 2010).
    public static let xavierUniform = varianceScaling(
        scale: 1, mode: .average, distribution: .uniform)
    public static let xavierNormal = varianceScaling(
        scale: 1, mode: .average, distribution: .normal)

    /// Variance 2 / inputs, for layers in front of ReLU (He et al. 2015).
    public static let heUniform = he(.uniform)
    public static let heNormal = he(.normal)

    /// Variance 2 / ((1 + slope^2) fan), for layers in front of a leaky ReLU (He et al. 2015).
    public static func he(
        _ distribution: Distribution, mode: FanMode = .fanIn, slope: Double = 0
    ) -> Initializer {
        varianceScaling(scale: 2 / (1 + slope * slope), mode: mode, distribution: distribution)
    }

    /// Variance 1 / inputs (LeCun et al. 1998).
    public static let lecunUniform = varianceScaling(
        scale: 1, mode: .fanIn, distribution: .uniform)
    public static let lecunNormal = varianceScaling(scale: 1, mode: .fanIn, distribution: .normal)

    /// Orthonormal rows or columns, whichever are fewer, times `gain` (Saxe et al. 2014).
    public static func orthogonal(gain: Double = 1) -> Initializer {
        Initializer(kind: .orthogonal(gain: gain))
    }
}

/// How many inputs each output of a layer sums over, and how many outputs each input goes to.
public struct Fans: Hashable, Sendable {
    public var inputs: Int
    public var outputs: Int

    public init(inputs: Int, outputs: Int) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Reads a shape as `[outputs, inputs...]`; a vector counts as its own inputs and outputs.
    public init(_ shape: Shape) {
        let outputs = shape.first ?? 1
        self.init(
            inputs: shape.rank < 2 ? outputs : shape.dropFirst().reduce(1, *), outputs: outputs)
    }
}
