import Arrays
import Graph
import Testing

@Suite struct SliceGradientTests {
    /// The gradients of slices that touch are put side by side, not each within zeros and added up.
    @Test(arguments: [0, 1, 2])
    func touchingSlicesAreJoined(axis: Int) {
        let x = Tensor(InputLeaf(position: 0, spec: TensorSpec([60, 20, 40], .float32)))
        let squares = x.split(count: 20, axis: axis).reversed().map { $0.square().sum() }
        let gradient = squares.dropFirst().reduce(squares[0]) { $0 + $1 }.gradients([x])[0]
        #expect(gradient.shape == x.shape)
        let whole = topologicalOrder([gradient]).filter { $0.outputs[0].shape == x.shape }
        #expect(whole == [x.node, gradient.node])
        #expect(gradient.node.operation is Concatenate)
    }
}
