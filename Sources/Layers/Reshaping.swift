import Arrays
import Graph

/// Merges all axes from `axis` on into one: `[samples, 28, 28]` becomes `[samples, 784]`.
public final class Flatten: Module {
    public let axis: Int

    public init(from axis: Int = 1) {
        precondition(axis >= 0, "Flatten: expected an axis counted from the front, found \(axis)")
        self.axis = axis
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        guard input.rank > axis else {
            fail(context, "expected an input of rank above \(axis), found \(input.shape)")
        }
        return input.rank == axis + 1 ? input : input.flattened(from: axis)
    }
}

/// Gives each sample another shape; the sample axis stays.
public final class Reshape: Module {
    /// The shape of one sample.
    public let sampleShape: Shape

    public init(_ sampleShape: Shape) {
        self.sampleShape = sampleShape
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        guard let samples = input.shape.first,
            input.shape.elementCount == samples * sampleShape.elementCount
        else {
            fail(
                context,
                "\(sampleShape) has \(sampleShape.elementCount) elements a sample, found \(input.shape)"
            )
        }
        return input.reshape(Shape([samples] + sampleShape))
    }
}
