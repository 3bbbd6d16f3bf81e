import Arrays
import Graph
import TestSupport
import Testing

import Runtime

@Suite("Sums that are taken while tiles are made")
struct TileSumTests {
    /// Images of either layout, rows of features and long rows, of odd and of large extents; an operand
    /// per channel, and the axes to add up, each list by itself.
    static let cases: [(shape: Shape, operand: Shape, axes: [[Int]])] = [
        ([5, 6, 7, 64], [64], [[0, 1, 2], [1, 2], [0, 1, 2, 3], [1, 2, 3], [0]]),
        ([5, 9, 11, 13], [5, 1, 1, 13], [[0, 1, 2], [1, 2], [0, 1, 2, 3]]),
        ([5, 3, 16, 16], [3, 1, 1], [[0, 2, 3], [2, 3], [1, 2, 3], [0, 1, 2, 3]]),
        ([21, 3, 50, 21], [21, 3, 1, 1], [[0, 2, 3], [2, 3]]),
        ([37, 300], [300], [[0], [1], [0, 1]]),
        ([3, 5001], [3, 1], [[0], [1], [0, 1]]),
        ([1, 4099], [], [[0], [1], [0, 1]]),
        ([6000, 20], [20], [[0], [1]]),
    ]

    static let scales: [(offset: Float, scale: Float)] = [(0, 1), (1e6, 1), (0, 1e30), (0.1, 0)]

    private func body(_ axes: [[Int]]) -> ([Tensor]) -> [Tensor] {
        {
            let product = $0[0] * $0[1]
            let y = (product - $0[0] * 0.5) * 2
            return axes.flatMap {
                [y.sum(axes: $0), product.sum(axes: $0, keepingDimensions: true)]
            }
        }
    }

    private func inputs(_ index: Int, _ offset: Float, _ scale: Float) -> [NDArray] {
        let (shape, operand, _) = Self.cases[index]
        return [shape, operand].enumerated().map { position, shape in
            let numbers = Philox(key: UInt64(10 * index + position)).normal(shape)
            return NDArray(
                numbers.map { position == 0 ? offset + scale * Float($0) : Float($0) }, shape: shape
            )
        }
    }

    @Test("Right, and the same for any number of threads", arguments: cases.indices)
    func sums(_ index: Int) {
        let body = body(Self.cases[index].axes)
        for (offset, scale) in Self.scales {
            let inputs = inputs(index, offset, scale)
            let found = Step(workers: Workers(count: 2), body).run(inputs).outputs
            for threads in [1, 3, 8] {
                #expect(Step(workers: Workers(count: threads), body).run(inputs).outputs == found)
            }
            // The largest part of a sum bounds what rounding of the parts can do to it.
            let parts = Step(backend: .reference) {
                $0 + [($0[0] * $0[1]).abs().sum()]
            }
            let size: Double = parts.run(inputs).outputs[2].elements()[0]
            let expected = Step(backend: .reference, body).run(inputs).outputs
            for (a, b) in zip(found, expected) {
                let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
                #expect(a.shape == b.shape)
                #expect(zip(x, y).allSatisfy { abs($0 - $1) <= 1e-6 * size })
            }
        }
    }

    @Test("NaN reaches the sums that it belongs to, and no others")
    func notANumber() {
        var inputs = inputs(0, 0, 1)
        inputs[0].withMutableElements(Float.self) { $0[3 * 6 * 7 * 64 + 5] = .nan }
        let sums = Step(workers: Workers(count: 2)) {
            let y = $0[0] * $0[1] + 1
            return [y.sum(axes: [1, 2]), y.sum(axes: [0, 1, 2])]
        }
        let outputs = sums.run(inputs).outputs
        let (perSample, perChannel): ([Float], [Float]) = (
            outputs[0].elements(), outputs[1].elements()
        )
        #expect(perSample.indices.filter { perSample[$0].isNaN } == [3 * 64 + 5])
        #expect(perChannel.indices.filter { perChannel[$0].isNaN } == [5])
    }

    @Test("What only sums read is never stored", arguments: [0, 2, 4])
    func plan(_ index: Int) throws {
        let step = Step(workers: Workers(count: 2), body(Self.cases[index].axes.dropLast()))
        let specs = inputs(index, 0, 1).map { TensorSpec($0.shape, $0.elementType) }
        let plan = try #require(step.compiled(specs).plan)
        let lines = plan.description.split(separator: "\n")
        #expect(lines.filter { $0.contains("(in tiles)") }.count == 4)
    }
}
