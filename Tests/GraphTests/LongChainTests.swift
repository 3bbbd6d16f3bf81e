import Arrays
import Graph
import Testing

@Suite struct LongChainTests {
    /// A loop that never asks for a value builds a chain; letting go of it must not overflow the stack.
    @Test func longChainIsReleased() {
        var x = Tensor(NDArray(scalar: Float(0)))
        for _ in 0..<300_000 { x = x + 1 }
        #expect(x.shape == [])
        x = Tensor(NDArray(scalar: Float(1)))
        #expect(x.elementType == .float32)
    }
}
