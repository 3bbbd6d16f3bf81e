import Arrays
import Graph
import TestSupport
import Testing

import Runtime

/// The sums of group norm's gradient, and those for gamma and beta, come from one pass.
@Suite struct JoinedGroupSumsTests {
    /// Both layouts, of odd extents, groups of one channel and of several.
    static let cases: [(shape: Shape, axis: Int, groups: Int)] = [
        ([5, 7, 9, 12], 3, 4), ([5, 12, 7, 9], 1, 4), ([3, 5, 5, 64], 3, 64), ([33, 6, 40], 1, 6),
        ([17, 31, 10], 2, 2), ([9, 3, 3, 48], 3, 1), ([2, 4, 3, 11, 6], 4, 3),
    ]

    private func body(_ axis: Int, _ groups: Int) -> ([Tensor]) -> [Tensor] {
        { inputs in
            let moments = inputs[0].groupMoments(axis: axis, groups: groups)
            let y = inputs[0].groupScale(
                axis: axis, groups: groups, mean: moments.mean, low: moments.low,
                scale: (moments.variance + 1e-5).rsqrt(), gamma: inputs[2], beta: inputs[3])
            let targets = [inputs[0], inputs[2], inputs[3]]
            return [y] + pullback(of: [y], seeds: [inputs[1]], to: targets)
        }
    }

    private func inputs(_ shape: Shape, _ axis: Int, _ offset: Float, _ scale: Float) -> [NDArray] {
        let channels: Shape = [shape[axis]]
        return [shape, shape, channels, channels].enumerated().map { index, shape in
            let numbers = Philox(key: UInt64(index)).normal(shape)
            if index > 1 { return NDArray(numbers, shape: shape) }
            return NDArray(
                numbers.map { index == 0 ? offset + scale * Float($0) : Float($0) }, shape: shape)
        }
    }

    @Test(arguments: cases.indices, [(0, 1), (1e6, 1), (0, 1e30), (0.1, 0)] as [(Float, Float)])
    func onePass(_ index: Int, _ range: (offset: Float, scale: Float)) {
        let (shape, axis, groups) = Self.cases[index]
        let inputs = inputs(shape, axis, range.offset, range.scale)
        let step = Step(workers: Workers(count: 2), body(axis, groups))
        let plan = step.compiled(inputs.map { TensorSpec($0.shape, $0.elementType) }).plan!
        #expect(plan.phases.flatMap(\.segments).flatMap(\.joined).count == 1)

        let found = step.run(inputs).outputs
        for threads in [1, 3, 8] {
            let other = Step(workers: Workers(count: threads), body(axis, groups))
            #expect(other.run(inputs).outputs == found)
        }
        let expected = Step(backend: .reference, body(axis, groups)).run(inputs).outputs
        for (a, b) in zip(found, expected) {
            let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
            let scale = max(y.map(abs).max()!, 1e-300)
            #expect(zip(x, y).allSatisfy { abs($0 - $1) <= 2e-5 * scale })
        }
    }
}
