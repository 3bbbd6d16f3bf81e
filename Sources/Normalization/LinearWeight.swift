import Arrays

/// The weight of a layer that is linear in its input (dense, convolution, transposed convolution), with
/// what its axes mean.
public struct LinearWeight: Hashable, Sendable {
    /// Row-major.
    public var numbers: [Double]
    /// `[outputs, inputs / groups, taps...]`, or `[inputs, outputs / groups, taps...]` when transposed.
    public let shape: Shape
    public let groups: Int
    public let isTransposed: Bool

    /// Traps unless the shape has two axes or more, holds as many numbers, and the groups divide it.
    public init(
        _ numbers: [Double], shape: Shape, groups: Int = 1, isTransposed: Bool = false
    ) {
        precondition(
            shape.rank >= 2 && shape.elementCount == numbers.count && groups > 0
                && shape[0] % groups == 0,
            "folding: \(numbers.count) weights in \(groups) groups do not make \(shape)")
        self.numbers = numbers
        self.shape = shape
        self.groups = groups
        self.isTransposed = isTransposed
    }

    public var outputs: Int { isTransposed ? shape[1] * groups : shape[0] }
    public var inputs: Int { isTransposed ? shape[0] : shape[1] * groups }

    /// Multiplies every number by a factor that depends on its output and input channel.
    func scaled(_ factor: (_ output: Int, _ input: Int) -> Double) -> LinearWeight {
        var result = self
        forEachPair { output, input, range in
            let factor = factor(output, input)
            for index in range { result.numbers[index] *= factor }
        }
        return result
    }

    /// Calls `body` with every pair of an output and an input channel that are connected, and the
    /// positions of their numbers.
    public func forEachPair(_ body: (_ output: Int, _ input: Int, _ range: Range<Int>) -> Void) {
        let taps = shape.dropFirst(2).reduce(1, *)
        let perGroup = shape[0] / groups
        for first in 0..<shape[0] {
            for second in 0..<shape[1] {
                let start = (first * shape[1] + second) * taps
                let other = first / perGroup * shape[1] + second
                let range = start..<(start + taps)
                isTransposed ? body(other, first, range) : body(first, other, range)
            }
        }
    }
}
