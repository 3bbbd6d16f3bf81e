import Arrays
import Testing

@Suite struct ShapeTests {
    @Test func stridesWalkMemoryInOrder() {
        let shape: Shape = [2, 3, 4]
        #expect(shape.strides == [12, 4, 1])
        #expect(Shape([]).strides == [])
        #expect(Shape([]).elementCount == 1)
        #expect(Shape([3, 0, 2]).elementCount == 0)
        #expect(shape.description == "[2, 3, 4]")
    }

    @Test(arguments: [
        ([2, 3], [2, 3], [2, 3]), ([2, 3], [3], [2, 3]), ([], [4, 1], [4, 1]),
        ([5, 1, 3], [4, 1], [5, 4, 3]), ([1], [0], [0]), ([2, 1], [1, 0], [2, 0]),
    ])
    func broadcasting(_ first: [Int], _ second: [Int], _ expected: [Int]) {
        #expect(Shape.broadcast(Shape(first), Shape(second)) == Shape(expected))
        #expect(Shape.broadcast(Shape(second), Shape(first)) == Shape(expected))
    }

    @Test(arguments: [([2], [3]), ([2, 3], [2]), ([0], [2]), ([4, 1, 2], [3, 5, 2])])
    func shapesThatDoNotBroadcast(_ first: [Int], _ second: [Int]) {
        #expect(Shape.broadcast(Shape(first), Shape(second)) == nil)
        #expect(Shape.broadcast(Shape(second), Shape(first)) == nil)
    }

    @Test func axesCountFromEitherEnd() {
        let shape: Shape = [2, 3, 4]
        #expect((-3..<3).map { shape.normalized(axis: $0) } == [0, 1, 2, 0, 1, 2])
        #expect(shape.normalized(axes: [-1, 0]) == [0, 2])
        #expect(shape.reduced(over: [-1, 0], keepingDimensions: false) == [3])
        #expect(shape.reduced(over: [2, 0], keepingDimensions: true) == [1, 3, 1])
        #expect(shape.reduced(over: [], keepingDimensions: false) == shape)
    }

    @Test func axesOutOfRangeTrap() async {
        await #expect(processExitsWith: .failure) { _ = Shape([2, 3]).normalized(axis: 2) }
        await #expect(processExitsWith: .failure) { _ = Shape([2, 3]).normalized(axes: [1, -1]) }
    }
}
