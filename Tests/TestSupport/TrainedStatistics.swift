import Arrays
import Graph
import Layers

extension Module {
    /// Gives batch norms the look of trained ones: statistics, gamma and beta that differ per channel.
    public func pretendTraining(seed: UInt64) {
        var generator = PhiloxGenerator(seed: seed)
        func uniform(_ shape: Shape, _ range: ClosedRange<Double>) -> NDArray {
            let numbers = (0..<shape.elementCount).map { _ in
                Double.random(in: range, using: &generator)
            }
            return NDArray(numbers, shape: shape).converted(to: .float32)
        }
        for case let norm as BatchNorm in namedModules.map(\.module) {
            if let gamma = norm.gamma { gamma.value = uniform(gamma.shape, 0.5...1.5) }
            if let beta = norm.beta { beta.value = uniform(beta.shape, -0.5...0.5) }
            guard let statistics = norm.statistics else { continue }
            let shape = statistics.runningMean.initialValue.shape
            statistics.runningMean.value = uniform(shape, -0.5...0.5)
            statistics.runningVariance.value = uniform(shape, 0.5...2)
            statistics.batchCount.value = NDArray(scalar: Int64(7))
        }
    }
}
