import Arrays
import Graph
import Layers
import Runtime
import Testing

@Suite("Ghost batch norm")
struct GhostBatchNormTests {
    /// The shape of a batch, and the samples of its ghost batches of three.
    static let batches: [(shape: Shape, runs: [Int])] = [
        ([6, 5], [3, 3]), ([7, 5], [3, 4]), ([8, 5], [3, 3, 2]), ([4, 5], [4]), ([3, 5], [3]),
        ([7, 1, 1, 5], [3, 4]), ([7, 2, 5], [3, 3, 1]), ([4, 2, 5], [3, 1]),
    ]

    @Test("Each run is a batch, and one value per channel is none", arguments: batches.indices)
    func runs(_ index: Int) {
        let (shape, runs) = Self.batches[index]
        let x = NDArray(Philox(key: 3).normal(shape).map { 4 + $0 * 2 }, shape: shape)
        let dy = NDArray(Philox(key: 4).normal(shape), shape: shape)
        let ghost = GhostBatchNorm(ghostSize: 3, 5)
        let found = Step(FamilyCase.body(ghost))(x, dy).outputs

        let norm = BatchNorm(5)
        var start = 0
        for samples in runs {
            let range = start..<(start + samples)
            start += samples
            let expected = Step(FamilyCase.body(norm))(x.rows(range), dy.rows(range)).outputs
            for output in 0..<2 {
                let pairs = zip(
                    found[output].rows(range).elements(as: Double.self),
                    expected[output].elements(as: Double.self))
                #expect(pairs.allSatisfy { abs($0 - $1) < 1e-9 }, "output \(output)")
            }
        }
        #expect(start == shape[0])
        #expect(ghost.norm.statistics!.batchCount.value.item(as: Int64.self) == Int64(runs.count))
        for (state, expected) in zip(ghost.states, norm.states) {
            let pairs = zip(
                state.value.elements(as: Double.self), expected.value.elements(as: Double.self))
            #expect(pairs.allSatisfy { abs($0 - $1) < 1e-6 }, "\(state.name)")
        }
    }
}
