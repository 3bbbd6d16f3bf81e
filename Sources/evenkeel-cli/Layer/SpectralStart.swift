import EvenKeel

/// The left singular vector of a weight's largest singular value, by power iteration in float64 until
/// nothing changes: what spectral norm starts from where no state is given.
struct SpectralStart {
    let u: NDArray

    /// Multiplications and additions spent at most.
    private static let work = 2_000_000_000

    init(_ weight: NDArray) {
        let units = weight.shape[0]
        let values: [Double] = weight.elements()
        let inputs = units > 0 ? values.count / units : 0
        let largest = values.reduce(0) { max($0, abs($1)) }
        let start = SpectralNorm.start(units: units).converted(to: .float64)
        guard largest > 0, largest.isFinite else {
            u = start
            return
        }
        var left: [Double] = start.elements()
        var right = [Double](repeating: 0, count: inputs)
        var before = 0.0
        var steadySteps = 0
        for _ in 0..<max(10, min(20_000, Self.work / (2 * values.count))) {
            for column in 0..<inputs { right[column] = 0 }
            for row in 0..<units {
                let factor = left[row]
                for column in 0..<inputs {
                    right[column] += factor * (values[row * inputs + column] / largest)
                }
            }
            _ = Self.normalize(&right)
            for row in 0..<units {
                var sum = 0.0
                for column in 0..<inputs {
                    sum += values[row * inputs + column] / largest * right[column]
                }
                left[row] = sum
            }
            let sigma = Self.normalize(&left)
            steadySteps = abs(sigma - before) <= 1e-16 * sigma ? steadySteps + 1 : 0
            if steadySteps > 20 { break }
            before = sigma
        }
        u = NDArray(left, shape: [units])
    }

    private static func normalize(_ vector: inout [Double]) -> Double {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        if length > 0 { for index in vector.indices { vector[index] /= length } }
        return length
    }
}
