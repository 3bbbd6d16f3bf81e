import Arrays
import RealModule

extension Initializer {
    /// The values of a parameter: float64, determined by the generator's key alone.
    public func values(_ shape: Shape, fans: Fans, philox: Philox) -> NDArray {
        let values: [Double]
        switch kind {
        case .constant(let value):
            return NDArray(repeating: value, shape: shape)
        case .normal(let mean, let deviation):
            values = philox.normal(shape).map { mean + deviation * $0 }
        case .truncatedNormal(let deviation):
            values = philox.truncatedNormal(shape).map { $0 * deviation }
        case .uniform(let lower, let upper):
            values = philox.uniform(shape, in: lower..<upper)
        case .varianceScaling(let scale, let mode, let distribution):
            let fan =
                switch mode {
                case .fanIn: Double(fans.inputs)
                case .fanOut: Double(fans.outputs)
                case .average: Double(fans.inputs + fans.outputs) / 2
                }
            let deviation = Double.sqrt(scale / max(fan, 1))
            switch distribution {
            case .normal: values = philox.normal(shape).map { $0 * deviation }
            case .uniform:
                let bound = deviation * Double.sqrt(3)
                values = philox.uniform(shape, in: -bound..<bound)
            case .truncatedNormal:
                // Cutting at two standard deviations leaves this much of one.
                let remaining = 0.879_625_661_034_239_78
                values = philox.truncatedNormal(shape).map { $0 * deviation / remaining }
            }
        case .orthogonal(let gain):
            values = orthogonal(shape, philox).map { $0 * gain }
        }
        return NDArray(values, shape: shape)
    }

    /// Orthonormalizes the rows (or the columns, where they are fewer) of a normal random matrix by
    /// Gram and Schmidt, each vector twice, which makes rounding harmless.
    private func orthogonal(_ shape: Shape, _ philox: Philox) -> [Double] {
        let rows = shape.first ?? 1
        let columns = shape.elementCount / max(rows, 1)
        let (count, length) = (min(rows, columns), max(rows, columns))
        let draws = philox.normal(shape)
        var basis: [[Double]] = []
        for index in 0..<count {
            var vector = Array(draws[(index * length)..<((index + 1) * length)])
            for _ in 0..<2 {
                for other in basis {
                    let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for i in 0..<length { vector[i] -= product * other[i] }
                }
            }
            let norm = Double.sqrt(vector.reduce(0) { $0 + $1 * $1 })
            basis.append(vector.map { $0 / norm })
        }
        if rows <= columns { return basis.flatMap { $0 } }
        return (0..<rows).flatMap { row in basis.map { $0[row] } }
    }
}

extension Philox {
    /// Numbers from the standard normal distribution, drawn again where they lie beyond 2.
    fileprivate func truncatedNormal(_ shape: Shape) -> [Double] {
        var values = normal(shape)
        var round: UInt64 = 1
        while values.contains(where: { abs($0) > 2 }) {
            let others = derived(round).normal(shape)
            for index in values.indices where abs(values[index]) > 2 {
                values[index] = others[index]
            }
            round += 1
        }
        return values
    }
}
