import Arrays

/// What may stand between a tensor's brackets for one axis: a position, or a range of positions.
///
/// Positions count from the end where negative; ranges do not.
public protocol TensorIndex: Sendable {
    /// What the index selects of an axis. Traps where it is out of bounds.
    func range(extent: Int) -> TensorRange
}

/// The positions that an index selects of an axis.
public struct TensorRange: Hashable, Sendable {
    public let positions: Range<Int>
    /// Whether the axis remains in the result: a range keeps it, a single position removes it.
    public let keepsAxis: Bool

    public init(_ positions: Range<Int>, keepsAxis: Bool = true) {
        self.positions = positions
        self.keepsAxis = keepsAxis
    }
}

extension Int: TensorIndex {
    public func range(extent: Int) -> TensorRange {
        precondition(
            self >= -extent && self < extent,
            "index \(self) is out of bounds for an axis of extent \(extent)")
        let position = self < 0 ? self + extent : self
        return TensorRange(position..<(position + 1), keepsAxis: false)
    }
}

extension RangeExpression where Bound == Int {
    public func range(extent: Int) -> TensorRange {
        let range = relative(to: 0..<extent)
        precondition(
            range.lowerBound >= 0 && range.upperBound <= extent,
            "the range \(range) is out of bounds for an axis of extent \(extent)")
        return TensorRange(range)
    }
}

extension Range: TensorIndex where Bound == Int {}
extension ClosedRange: TensorIndex where Bound == Int {}
extension PartialRangeFrom: TensorIndex where Bound == Int {}
extension PartialRangeUpTo: TensorIndex where Bound == Int {}
extension PartialRangeThrough: TensorIndex where Bound == Int {}

extension Tensor {
    /// Part of the tensor: `x[2]` is a row without its axis, `x[0..<3]` some rows, `x[0..., 1]` a column.
    /// Axes that are not named remain whole.
    public subscript(_ indices: any TensorIndex...) -> Tensor {
        precondition(
            indices.count <= rank, "found \(indices.count) indices for \(spec) of rank \(rank)")
        let named = zip(indices, shape).map { $0.range(extent: $1) }
        let ranges = named + shape.dropFirst(named.count).map { TensorRange(0..<$0) }
        let kept = ranges.filter(\.keepsAxis).map(\.positions.count)
        return sliced(ranges.map(\.positions)).reshape(Shape(kept))
    }
}
