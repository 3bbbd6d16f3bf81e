import Arrays
import Graph
import TestSupport
import Testing

import Runtime

@Suite("Elementwise operations that run together, tile by tile")
struct ElementwiseTilesTests {
    /// Shapes of a result with operands that broadcast in it: per channel, per sample and channel, per
    /// sample, one number, of odd and of large extents, with channels first and last.
    static let shapes: [(result: Shape, operands: [Shape])] = [
        ([7, 5, 3], [[3], [7, 1, 3], [7, 1, 1], []]),
        ([4, 3, 5, 6], [[3, 1, 1], [4, 3, 1, 1], [1, 3, 1, 1], [4, 1, 1, 1]]),
        ([16, 9, 9, 64], [[64], [16, 1, 1, 64], [], [1, 1, 1, 64]]),
        ([6, 2, 3000], [[2, 1], [6, 2, 1], [3000], [6, 1, 1]]),
        ([1, 5000], [[5000], [1, 1], [], [1, 5000]]),
        ([3, 1, 2, 1, 1031], [[1031], [3, 1, 1, 1, 1], [2, 1, 1], [3, 1, 2, 1, 1]]),
    ]

    /// Several functions with operands of every kind: values that are read twice, in and out of order,
    /// and one that a sum reads between them.
    static func chain(_ x: Tensor, _ operands: [Tensor]) -> [Tensor] {
        let a = x * operands[0] + operands[1]
        let b = Tensor.maximum(a, operands[2] - x).sigmoid()
        let c = (b * a).square() * 0.5
        let sums = b.sum(axes: [0])
        let d = (c + 1).reciprocal() - operands[3] * b
        return [d, sums, Tensor.minimum(d, a) / (c + 2), c.sum(axes: [x.rank - 1])]
    }

    static func inputs(_ index: Int) -> [NDArray] {
        let (result, operands) = shapes[index]
        return ([result] + operands).enumerated().map { position, shape in
            let numbers = Philox(key: UInt64(10 * index + position)).normal(shape)
            return NDArray(numbers.map { Float($0) }, shape: shape)
        }
    }

    @Test("The bits are those of one operation after the other", arguments: shapes.indices, [1, 3])
    func bits(_ index: Int, _ threads: Int) {
        let inputs = Self.inputs(index)
        let workers = Workers(count: threads)
        let together = Step(workers: workers) { Self.chain($0[0], Array($0.dropFirst())) }
        let found = together.run(inputs).outputs
        // Every intermediate result is a result here, so that nothing is left in a tile.
        var values: [NDArray] = []
        func separately(_ tensors: [Tensor], _ body: @escaping ([Tensor]) -> Tensor) -> Tensor {
            let arrays = tensors.map { $0.evaluate() }
            let result = Step(workers: workers) { [body($0)] }.run(arrays).outputs[0]
            values.append(result)
            return Tensor(result)
        }
        let x = Tensor(inputs[0])
        let o = inputs.dropFirst().map { Tensor($0) }
        let scaled = separately([x, o[0]]) { $0[0] * $0[1] }
        let a = separately([scaled, o[1]]) { $0[0] + $0[1] }
        let rest = separately([o[2], x]) { $0[0] - $0[1] }
        let larger = separately([a, rest]) { Tensor.maximum($0[0], $0[1]) }
        let b = separately([larger]) { $0[0].sigmoid() }
        let product = separately([b, a]) { $0[0] * $0[1] }
        let square = separately([product]) { $0[0].square() }
        let c = separately([square]) { $0[0] * 0.5 }
        let next = separately([c]) { $0[0] + 1 }
        let inverse = separately([next]) { $0[0].reciprocal() }
        let part = separately([o[3], b]) { $0[0] * $0[1] }
        let d = separately([inverse, part]) { $0[0] - $0[1] }
        let least = separately([d, a]) { Tensor.minimum($0[0], $0[1]) }
        let divisor = separately([c]) { $0[0] + 2 }
        let quotient = separately([least, divisor]) { $0[0] / $0[1] }
        #expect(found[0] == d.evaluate())
        #expect(found[2] == quotient.evaluate())
        #expect(values.count == 15)
    }

    @Test("What nothing else reads has no memory")
    func plan() throws {
        let inputs = Self.inputs(2)
        let step = Step(workers: Workers(count: 2)) {
            Self.chain($0[0], Array($0.dropFirst()))
        }
        let plan = try #require(
            step.compiled(inputs.map { TensorSpec($0.shape, $0.elementType) }).plan)
        let lines = plan.description.split(separator: "\n")
        #expect(lines.filter { $0.contains("(in tiles)") }.count >= 8)
        // What a sum reads is there as a whole, for its shard.
        #expect(lines.contains { $0.contains("sigmoid") && $0.contains("in cache") })
    }
}
