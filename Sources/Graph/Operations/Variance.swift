import Arrays

extension Tensor {
    /// The variance over axes; over all of them by default.
    ///
    /// Computed in two passes with the correction of Chan, Golub and LeVeque (1983) for the rounding of
    /// the mean, so that a large mean costs no accuracy. Of one element the biased variance is 0 and the
    /// unbiased one NaN. (Batch norm takes its statistics from `moments`, in float64.)
    ///
    /// - Parameter unbiased: divides by one less than the number of elements.
    public func variance(
        axes: [Int]? = nil, unbiased: Bool = false, keepingDimensions: Bool = false
    ) -> Tensor {
        let axes = shape.normalized(axes: axes ?? Array(0..<rank))
        let count = Double(axes.reduce(1) { $0 * shape[$1] })
        let centred = self - mean(axes: axes, keepingDimensions: true)
        let squares = centred.square().sum(axes: axes, keepingDimensions: keepingDimensions)
        let rest = centred.sum(axes: axes, keepingDimensions: keepingDimensions)
        return (squares - rest.square() * (1 / count)) / (unbiased ? count - 1 : count)
    }
}
