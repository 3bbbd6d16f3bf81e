import Arrays
import Graph
import Runtime
import Testing

@Suite("Steps that need more memory than there is")
struct StepMemoryTests {
    @Test("They are an error before anything is allocated", arguments: [true, false])
    func refusal(isFrozen: Bool) throws {
        let step = Step(isFrozen: isFrozen) { [$0[0].exp().sum(), $0[0].matmul($0[1])] }
        let (rows, columns) = (1 << 30, 1 << 16)
        let error = #expect(throws: MemoryError.self) {
            try step.prepared([
                TensorSpec([rows, 4], .float32), TensorSpec([4, columns], .float32),
            ])
        }
        #expect(try #require(error).neededBytes > Double(rows * columns * 4))
        #expect(!step.isCompiled)
        let small = [NDArray([1, 2], shape: [1, 2]), NDArray([3, 4], shape: [2, 1])]
            .map { $0.converted(to: .float32) }
        let outputs = try step.checkedRun(small).outputs
        #expect(outputs[1].elements(as: Float.self) == [11] && step.isCompiled)
    }
}
