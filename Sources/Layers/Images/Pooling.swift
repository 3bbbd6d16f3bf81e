import Arrays
import Graph

/// The largest element of each window: input `[samples, spatial axes..., channels]` with one to three
/// spatial axes. Padding never wins; NaN does.
public final class MaxPool: Module {
    public let size: PerAxis
    public let strides: PerAxis?
    public let padding: Padding
    public let roundsUp: Bool

    /// - Parameters:
    ///   - size: the window's extents: one number for all spatial axes, or one for each.
    ///   - strides: the window's extents where nil.
    ///   - roundsUp: whether a last window that reaches beyond the padding counts.
    public init(
        _ size: PerAxis, strides: PerAxis? = nil, padding: Padding = .valid, roundsUp: Bool = false
    ) {
        self.size = size
        self.strides = strides
        self.padding = padding
        self.roundsUp = roundsUp
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.maxPooled(
            size.values, strides: strides?.values, padding: padding, roundsUp: roundsUp)
    }
}

/// The mean of each window: input `[samples, spatial axes..., channels]` with one to three spatial axes.
public final class AveragePool: Module {
    public let size: PerAxis
    public let strides: PerAxis?
    public let padding: Padding
    public let roundsUp: Bool
    public let countsPadding: Bool

    /// - Parameter countsPadding: whether zeros of the padding count as elements, as in PyTorch; Keras
    ///   takes the mean over the elements of the image alone.
    public init(
        _ size: PerAxis, strides: PerAxis? = nil, padding: Padding = .valid,
        roundsUp: Bool = false, countsPadding: Bool = true
    ) {
        self.size = size
        self.strides = strides
        self.padding = padding
        self.roundsUp = roundsUp
        self.countsPadding = countsPadding
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.averagePooled(
            size.values, strides: strides?.values, padding: padding, roundsUp: roundsUp,
            countsPadding: countsPadding)
    }
}

/// Average pooling to given spatial extents, in windows of almost equal size.
public final class AdaptiveAveragePool: Module {
    public let extents: PerAxis

    public init(_ extents: PerAxis) {
        self.extents = extents
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.adaptiveAveragePooled(to: extents.values)
    }
}

/// Max pooling to given spatial extents, in windows of almost equal size.
public final class AdaptiveMaxPool: Module {
    public let extents: PerAxis

    public init(_ extents: PerAxis) {
        self.extents = extents
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.adaptiveMaxPooled(to: extents.values)
    }
}

/// The mean over all positions: `[samples, spatial axes..., channels]` becomes `[samples, channels]`.
public final class GlobalAveragePool: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.globalAveragePooled()
    }
}

/// The largest element over all positions: `[samples, spatial axes..., channels]` becomes
/// `[samples, channels]`.
public final class GlobalMaxPool: Module {
    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkImage(input, context)
        return input.globalMaxPooled()
    }
}

extension Module {
    /// Stops unless the input is a batch of images of one to three spatial axes.
    func checkImage(_ input: Tensor, _ context: Context) {
        guard (3...5).contains(input.rank) else {
            fail(
                context,
                "expected an input of [samples, 1 to 3 spatial axes, channels], found \(input.shape)"
            )
        }
    }
}
