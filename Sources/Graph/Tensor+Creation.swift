import Arrays

extension Tensor {
    /// A one-dimensional tensor of the elements' type. (A literal in brackets makes float32.)
    public init<E: Element>(_ elements: [E]) {
        self.init(NDArray(elements))
    }

    /// `start, start + step, ...` as long as it is below `end` (above it for a negative step). Element i is
    /// `start + i * step`, rounded once.
    public static func arange(
        from start: Double = 0, to end: Double, by step: Double = 1, _ type: ElementType = .float32
    ) -> Tensor {
        precondition(
            step != 0 && (start + end + step).isFinite,
            "arange: expected finite bounds and a step other than 0, found \(start), \(end), \(step)"
        )
        let count = Swift.max(0, ((end - start) / step).rounded(.up))
        precondition(
            count <= 0x1p31, "arange: expected at most 2^31 elements, found \(count)")
        return Tensor(
            NDArray((0..<Int(count)).map { start + Double($0) * step }).converted(to: type))
    }

    /// The identity matrix, or a rectangle with ones on its main diagonal.
    public static func eye(_ rows: Int, columns: Int? = nil, _ type: ElementType = .float32)
        -> Tensor
    {
        let columns = columns ?? rows
        precondition(
            rows >= 0 && columns >= 0, "eye: expected extents, found \(rows) and \(columns)")
        var elements = [Double](repeating: 0, count: rows * columns)
        for index in 0..<Swift.min(rows, columns) { elements[index * columns + index] = 1 }
        return Tensor(NDArray(elements, shape: [rows, columns]).converted(to: type))
    }
}
