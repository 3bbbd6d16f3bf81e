import RealModule

extension Philox {
    /// Numbers uniform in `range`, element `i` from counter `offset + i`.
    public func uniform(_ shape: Shape, in range: Range<Double> = 0..<1, offset: UInt64 = 0)
        -> [Double]
    {
        (0..<shape.elementCount).map { index in
            let words = self(offset &+ UInt64(index))
            let unit = Philox.unit(words.0, words.1)
            return range.lowerBound + (range.upperBound - range.lowerBound) * unit
        }
    }

    /// Numbers from the standard normal distribution (Box and Muller), element `i` from counter
    /// `offset + i`.
    public func normal(_ shape: Shape, offset: UInt64 = 0) -> [Double] {
        (0..<shape.elementCount).map { index in
            let words = self(offset &+ UInt64(index))
            // In (0, 1], so that the logarithm is finite.
            let radius = Double.sqrt(-2 * .log(1 - Philox.unit(words.0, words.1)))
            return radius * .cos(2 * .pi * Philox.unit(words.2, words.3))
        }
    }
}
