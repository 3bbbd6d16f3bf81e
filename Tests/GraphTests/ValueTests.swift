import Arrays
import Graph
import RealModule
import Runtime
import Testing

/// What operations give for inputs whose results are known.
@Suite struct ValueTests {
    private func values(_ tensor: Tensor) -> [Double] {
        ReferenceInterpreter<Double>().evaluate([tensor])[0].elements
    }

    private let matrix: Tensor = [[1, 2, 3], [4, 5, 6]]

    @Test func literals() {
        #expect(matrix.spec == TensorSpec([2, 3], .float32))
        #expect(values(matrix) == [1, 2, 3, 4, 5, 6])
        #expect(([[[0.5], [-1]]] as Tensor).shape == [1, 2, 1])
        #expect(([] as Tensor).shape == [0])
        #expect(values(matrix * 2 + [1, 0, 0]) == [3, 4, 6, 9, 10, 12])
        #expect(values(2 - matrix / [1, 2, 3]) == [1, 1, 1, -2, -0.5, 0])
    }

    @Test func creation() {
        #expect(Tensor([1, 2] as [Int32]).spec == TensorSpec([2], .int32))
        #expect(values(.arange(to: 3)) == [0, 1, 2])
        #expect(values(.arange(from: 1, to: 0, by: -0.25)) == [1, 0.75, 0.5, 0.25])
        #expect(Tensor.arange(from: 2, to: 1).shape == [0])
        #expect(values(.eye(2, columns: 3)) == [1, 0, 0, 0, 1, 0])
        #expect(Tensor.eye(2, .float64).spec == TensorSpec([2, 2], .float64))
        #expect(values(.ones([2]) + .zeros([2])) == [1, 1])
    }

    @Test func subscripts() {
        #expect(matrix[1].shape == [3])
        #expect(values(matrix[1]) == [4, 5, 6])
        #expect(values(matrix[-2]) == [1, 2, 3])
        #expect(matrix[0..<1].shape == [1, 3])
        #expect(matrix[0..., 1].shape == [2])
        #expect(values(matrix[0..., 1]) == [2, 5])
        #expect(values(matrix[0..., 1...]) == [2, 3, 5, 6])
        #expect(values(matrix[...0, ..<2]) == [1, 2])
        #expect(values(matrix[1, -1]) == [6])
        #expect(matrix[0, 0].shape == [])
        // The whole is the tensor itself, not a node that copies it.
        #expect(matrix[0..., 0...3 - 1] == matrix)
    }

    @Test func movement() {
        #expect(values(matrix.transposed()) == [1, 4, 2, 5, 3, 6])
        #expect(matrix.transposed().shape == [3, 2])
        #expect(values(.concatenate([matrix, matrix[0..<1]])) == [1, 2, 3, 4, 5, 6, 1, 2, 3])
        #expect(
            values(.concatenate([matrix, [[7], [8]]], axis: -1)) == [1, 2, 3, 7, 4, 5, 6, 8])
        #expect(values(.stack([[1, 2], [3, 4]], axis: -1)) == [1, 3, 2, 4])
        #expect(Tensor.stack([matrix, matrix, matrix], axis: 1).shape == [2, 3, 3])
        #expect(matrix.split(count: 3, axis: 1).map(values) == [[1, 4], [2, 5], [3, 6]])
        #expect(values(([1, 2] as Tensor).padded(before: [1], after: [2])) == [0, 1, 2, 0, 0])
    }

    @Test func extrema() {
        let x: Tensor = [[3, 1, 3], [-2, -7, -2]]
        #expect(values(x.max()) == [3])
        #expect(values(x.max(axes: [0])) == [3, 1, 3])
        #expect(values(x.min(axes: [1])) == [1, -7])
        #expect(values(x.argmax()) == [0, 0])
        #expect(values(x.argmax(axis: 0)) == [0, 0, 0])
        #expect(values((-x).argmax()) == [1, 1])
        #expect(x.argmax(axis: 0, keepingDimensions: true).spec == TensorSpec([1, 3], .int32))
        #expect(values((x .> 2).any(axes: [1])) == [1, 0])
        #expect(values((x .> 0).all(axes: [1])) == [1, 0])

        let hole: Tensor = Tensor([1, .nan, 5, .nan] as [Double])
        #expect(values(hole.max())[0].isNaN)
        #expect(values(hole.min())[0].isNaN)
        #expect(values(hole.argmax()) == [1])
        let low = Tensor([-Double.infinity, -.infinity])
        #expect(values(low.argmax()) == [0])
        #expect(values(low.max()) == [-.infinity])
    }

    @Test func variance() {
        #expect(values(matrix.variance(axes: [0])) == [2.25, 2.25, 2.25])
        #expect(values(matrix.variance(axes: [1], unbiased: true)) == [1, 1])
        #expect(values(Tensor([3.0]).variance()) == [0])
        #expect(values(Tensor([3.0]).variance(unbiased: true))[0].isNaN)
    }

    /// The mean's rounding must not show: in Float the mean of these is off by up to 0.03.
    @Test(arguments: [1e3, 1e5, 1e6])
    func varianceFarFromZero(_ offset: Double) {
        let noise = Philox(key: 3).normal([1000])
        let x = NDArray(noise.map { Float($0 + offset) }, shape: [1000])
        let exact = x.elements(as: Double.self)
        let mean = exact.reduce(0, +) / 1000
        let expected = exact.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1000
        let found = ReferenceInterpreter<Float>().evaluate([Tensor(x).variance()])[0].elements[0]
        #expect(abs(Double(found) - expected) <= 2e-5 * expected)
    }

    @Test func lookups() {
        let table: Tensor = [[1, 2], [3, 4], [5, 6]]
        let indices = Tensor([2, 0, 2] as [Int32])
        #expect(values(table.gather(indices)) == [5, 6, 1, 2, 5, 6])
        #expect(
            values(table.scatterAdded(at: indices, rows: 4)) == [3, 4, 0, 0, 6, 8, 0, 0])
        #expect(values(indices.oneHot(classes: 3)) == [0, 0, 1, 1, 0, 0, 0, 0, 1])
        let images = Tensor([7, 8, 9] as [UInt8])
        #expect(images.gather(indices).evaluate() == NDArray([9, 7, 9] as [UInt8]))
    }

    /// Bad indices and labels are data, not mistakes of a program: they must not crash, nor pass.
    @Test(arguments: [-1, 3, Int32.min, Int32.max])
    func indicesOutOfRange(_ bad: Int32) {
        let table: Tensor = [[1, 2], [3, 4], [5, 6]]
        let indices = Tensor([1, bad] as [Int32])
        let rows = values(table.gather(indices))
        #expect(rows[0...1] == [3, 4] && rows[2].isNaN && rows[3].isNaN)
        let images = Tensor([7, 8, 9] as [UInt8])
        #expect(images.gather(indices).evaluate() == NDArray([8, 0] as [UInt8]))
        #expect(values(table[0..<2].scatterAdded(at: indices, rows: 3)) == [0, 0, 1, 2, 0, 0])
        let hot = values(indices.oneHot(classes: 3))
        #expect(hot[0...2] == [0, 1, 0] && hot[3...].allSatisfy { $0.isNaN })

        let logits: Tensor = [[1, 2, 3], [1, 2, 3]]
        let losses = logits.crossEntropy(indices)
        #expect(values(losses)[0].isFinite && values(losses)[1].isNaN)
        let gradient = values(losses.sum().gradients([logits])[0])
        #expect(gradient[0...2].allSatisfy { $0.isFinite })
        #expect(gradient[3...].allSatisfy { $0.isNaN })
    }

    @Test func softmaxOfExtremes() {
        let x = Tensor(NDArray([1e4, 0, -1e4, 800, 800, -.infinity], shape: [2, 3]))
        #expect(values(x.softmax()) == [1, 0, 0, 0.5, 0.5, 0])
        #expect(values(x.logSoftmax())[0...2] == [0, -1e4, -2e4])
        let labels = Tensor([2, 0] as [Int32])
        #expect(values(x.crossEntropy(labels)) == [2e4, Double.log(2)])
        #expect(values(x.softmax(axis: 0))[0] == 1)
    }

    @Test func binaryCrossEntropyOfExtremes() {
        let logits = Tensor([1000, -1000, 50, -50] as [Double])
        let right = logits.binaryCrossEntropy(logits: Tensor([1, 0, 1, 0] as [Double]))
        #expect(values(right)[0...1] == [0, 0])
        // e^-50, which cancellation would have lost.
        #expect(abs(values(right)[2] / Double.exp(-50) - 1) < 1e-14)
        #expect(abs(values(right)[3] / Double.exp(-50) - 1) < 1e-14)
        let wrong = logits.binaryCrossEntropy(logits: Tensor([0, 1, 0, 1] as [Double]))
        #expect(values(wrong)[0...1] == [1000, 1000])

        let probabilities = Tensor([0, 1] as [Double])
        let losses = probabilities.binaryCrossEntropy(probabilities: Tensor([1, 0] as [Double]))
        #expect(values(losses).allSatisfy { $0.isFinite && $0 > 16 })
        let gradient = losses.sum().gradients([probabilities])[0]
        #expect(values(gradient).allSatisfy { $0.isFinite })
    }

    @Test func powers() {
        let base = Tensor([-2, -2, 0, 0, 4] as [Double])
        let exponent = Tensor([3, -1, 0, 2, 0.5] as [Double])
        #expect(values(base.power(exponent)) == [-8, -0.5, 1, 0, 2])
    }

    @Test func tensorsPrint() {
        #expect("\(matrix[1])" == "[4.0, 5.0, 6.0]")
        let step = Step(backend: .reference) { inputs in
            #expect("\(inputs[0] + 1)" == "float32[2, 3] of a step")
            return inputs
        }
        _ = step(NDArray(zeros: [2, 3], .float32))
    }
}
