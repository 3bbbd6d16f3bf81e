import Arrays
import RealModule

/// Softmax along the last axis: `exp(x - max) / sum(exp(x - max))`, or its logarithm.
public struct RowSoftmax: Operation {
    /// Whether the result is the logarithm of the probabilities.
    public let isLogarithmic: Bool

    public var name: String { isLogarithmic ? "logSoftmax" : "softmax" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard inputs[0].type.isFloatingPoint, inputs[0].shape.rank >= 1 else {
            fail("expected a floating-point tensor of rank 1 or more, found \(inputs[0])")
        }
        return inputs
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        inputs[0].shape.rank == 1 ? .whole : .rows(aligned: [true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (y, dy) = (call.outputs[0], call.gradient)
        func total(_ x: Tensor) -> Tensor { x.sum(axes: [-1], keepingDimensions: true) }
        return [isLogarithmic ? dy - y.exp() * total(dy) : y * (dy - total(dy * y))]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let x = inputs[0]
        let length = x.shape[x.shape.rank - 1]
        var y = x
        for start in stride(from: 0, to: x.elements.count, by: Swift.max(length, 1)) {
            let row = start..<(start + length)
            let logSum = logSumExp(x.elements[row])
            for offset in row {
                let logarithm = x.elements[offset] - logSum.maximum - logSum.rest
                y.elements[offset] = isLogarithmic ? logarithm : .exp(logarithm)
            }
        }
        return [y]
    }
}

/// log(sum(exp(x))) as the largest element plus a rest, so that subtracting them in turn rounds least.
func logSumExp<T: ReferenceScalar>(_ x: ArraySlice<T>) -> (maximum: T, rest: T) {
    let maximum = x.reduce(-.infinity) { $1.isNaN || $1 > $0 ? $1 : $0 }
    return (maximum, .log(x.reduce(0) { $0 + .exp($1 - maximum) }))
}

extension Tensor {
    /// Probabilities along an axis: `exp(x) / sum(exp(x))`, without overflow.
    public func softmax(axis: Int = -1) -> Tensor { softmax(isLogarithmic: false, axis) }

    /// The logarithm of `softmax`, more accurate than taking it afterwards.
    public func logSoftmax(axis: Int = -1) -> Tensor { softmax(isLogarithmic: true, axis) }

    private func softmax(isLogarithmic: Bool, _ axis: Int) -> Tensor {
        let front = exchangingAxes(axis, -1)
        return Tensor(RowSoftmax(isLogarithmic: isLogarithmic), front).exchangingAxes(axis, -1)
    }
}
