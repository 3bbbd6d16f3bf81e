import Arrays
import Graph

/// Positions around an image: zeros, reflected, replicated or circular. Input
/// `[samples, spatial axes..., channels]` with one to three spatial axes.
public final class ImagePadding: Module {
    public let before: PerAxis
    public let after: PerAxis
    public let mode: EdgeMode

    /// - Parameters:
    ///   - before: in front of each spatial axis: one number for all, or one for each.
    ///   - after: behind each spatial axis.
    public init(before: PerAxis, after: PerAxis, mode: EdgeMode = .zeros) {
        self.before = before
        self.after = after
        self.mode = mode
        super.init()
    }

    /// The same on both sides.
    public convenience init(_ sides: PerAxis, mode: EdgeMode = .zeros) {
        self.init(before: sides, after: sides, mode: mode)
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.padded(before: before.values, after: after.values, mode: mode)
    }
}

/// Multiplies the spatial extents of an image.
public final class Upsample: Module {
    public let factor: Int
    public let interpolation: Interpolation

    public init(by factor: Int, _ interpolation: Interpolation = .nearest) {
        precondition(factor > 0, "Upsample: expected a positive factor, found \(factor)")
        self.factor = factor
        self.interpolation = interpolation
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.upsampled(by: factor, interpolation)
    }
}
