import Arrays
import Graph
import Testing

/// Mistakes in a program end it, with a sentence that says what was expected and found.
@Suite struct TrapTests {
    @Test(arguments: Mistake.all.indices)
    func endsTheProcessWithASentence(_ index: Int) async throws {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) { [index] in
            Mistake.all[index].make()
        }
        let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        let sentence = Mistake.all[index].sentence
        #expect(output.contains(sentence), "expected \(sentence), found \(output)")
    }
}

private struct Mistake: Sendable {
    let sentence: String
    let make: @Sendable () -> Void

    init(_ sentence: String, _ make: @escaping @Sendable () -> Void) {
        self.sentence = sentence
        self.make = make
    }

    static let all = shapes + positions + types + losses + images

    static let shapes = [
        Mistake("the shapes [2] and [3] do not broadcast") {
            _ = Tensor.zeros([2]) + Tensor.zeros([3])
        },
        Mistake("the inner extents differ") { _ = Tensor.zeros([2, 3]).matmul(.zeros([2, 3])) },
        Mistake("reshape: [2, 3] has 6 elements, [4] has 4") {
            _ = Tensor.zeros([2, 3]).reshape([4])
        },
        Mistake("[6] has 6 elements, [-2, -3]") { _ = Tensor.zeros([6]).reshape([-2, -3]) },
        Mistake("[] does not broadcast to [-1]") { _ = Tensor.zeros([-1]) },
        Mistake("no place for a new axis 3") { _ = Tensor.zeros([2, 3]).expanded(axis: 3) },
        Mistake("eye: expected extents") { _ = Tensor.eye(-1) },
        Mistake("[2] does not broadcast to [3]") { _ = Tensor.zeros([2]).broadcast(to: [3]) },
        Mistake("the shapes [2, 3] and [2, 4] differ beside axis 0") {
            _ = Tensor.concatenate([.zeros([2, 3]), .zeros([2, 4])])
        },
        Mistake("a tensor literal needs equal rows") { _ = [[1, 2], [3]] as Tensor },
    ]

    static let positions = [
        Mistake("axis 2 is out of range") { _ = Tensor.zeros([2, 3]).sum(axes: [2]) },
        Mistake("axis 0 is named twice") { _ = Tensor.zeros([2, 3]).max(axes: [0, -2]) },
        Mistake("index 2 is out of bounds") { _ = Tensor.zeros([2, 3])[2] },
        Mistake("found 3 indices for float32[2, 3]") { _ = Tensor.zeros([2, 3])[0, 0, 0] },
        Mistake("out of bounds for an axis of extent 3") { _ = Tensor.zeros([2, 3])[0, 1..<4] },
        Mistake("expected a permutation") { _ = Tensor.zeros([2, 3]).transposed(axes: [0, 0]) },
        Mistake("expected rank 2 or more") { _ = Tensor.zeros([2]).transposed() },
        Mistake("do not add up to extent 4") { _ = Tensor.zeros([4]).split(sizes: [1, 2]) },
        Mistake("maximum of no elements is undefined") { _ = Tensor.zeros([0]).max() },
        Mistake("the channel axis must be in 1..<2") { _ = Tensor.zeros([2, 3]).moments(axis: 0) },
    ]

    static let types = [
        Mistake("the operands' types differ, found float32 and float64") {
            _ = Tensor.zeros([2]) + Tensor.zeros([2], .float64)
        },
        Mistake("expected a floating-point tensor") { _ = Tensor.zeros([2], .int32).exp() },
        Mistake("expected a bool condition") {
            _ = Tensor.select(.zeros([]), .zeros([]), .ones([]))
        },
        Mistake("expected a bool tensor") { _ = Tensor.zeros([2]).any() },
        Mistake("expected int32 indices") { _ = Tensor.zeros([2]).gather(.zeros([2])) },
        Mistake("2.5 is no int32") { _ = Tensor.zeros([2], .int32) .< 2.5 },
        Mistake("expected a floating-point scalar to differentiate, found float32[2]") {
            _ = Tensor.zeros([2]).gradients([])
        },
    ]

    static let losses = [
        Mistake("expected labels of [4] for logits of [4, 3], found [3]") {
            _ = Tensor.zeros([4, 3]).crossEntropy(.zeros([3], .int32))
        },
        Mistake("expected a label smoothing in 0..<1, found 1.0") {
            _ = Tensor.zeros([4, 3]).crossEntropy(.zeros([4], .int32), labelSmoothing: 1)
        },
        // Broadcasting here would hide a mistake: [4, 1] against [4] is sixteen differences.
        Mistake("expected a target of float32[4, 1], found float32[4]") {
            _ = Tensor.zeros([4, 1]).meanSquaredError(.zeros([4]))
        },
        Mistake("expected a rate in 0..<1, found 1.0") {
            _ = Tensor.zeros([4]).dropout(
                rate: 1, seed: 0, step: .zeros([], .int64), indices: .zeros([4], .int32))
        },
        Mistake("expected the indices of the 4 samples of float32[4], found int32[3]") {
            _ = Tensor.zeros([4]).dropout(
                rate: 0.5, seed: 0, step: .zeros([], .int64), indices: .zeros([3], .int32))
        },
    ]

    static let images = [
        Mistake("a kernel that reaches over 5 positions is larger than the padded image") {
            _ = Tensor.zeros([1, 2, 9, 1]).convolution(.zeros([1, 1, 5, 5]), padding: 1)
        },
        Mistake("expected strides of at least 1, found [0, 0]") {
            _ = Tensor.zeros([1, 4, 4, 1]).convolution(.zeros([1, 1, 3, 3]), strides: [0])
        },
        Mistake("3 groups do not divide 4 input and 6 output channels") {
            _ = Tensor.zeros([1, 4, 4, 4]).convolution(.zeros([6, 1, 3, 3]), groups: 3)
        },
        Mistake("is for 3 input channels, found an image of [1, 4, 4, 4] with 4") {
            _ = Tensor.zeros([1, 4, 4, 4]).convolution(.zeros([6, 3, 3, 3]))
        },
        Mistake("expected a weight of rank 4") {
            _ = Tensor.zeros([1, 4, 4, 4]).convolution(.zeros([6, 4, 3]))
        },
        Mistake("expected an image of [samples, 1 to 3 spatial axes, channels]") {
            _ = Tensor.zeros([4, 4]).convolution(.zeros([6, 4]))
        },
        Mistake("expected one number or 2 for the strides, found [1, 2, 3]") {
            _ = Tensor.zeros([1, 4, 4, 1]).convolution(.zeros([1, 1, 3, 3]), strides: [1, 2, 3])
        },
        Mistake("leaves nothing of float32[1, 1, 1, 1]") {
            _ = Tensor.zeros([1, 1, 1, 1]).transposedConvolution(.zeros([1, 1, 3, 3]), padding: 2)
        },
        Mistake("a window of 5 is larger than the padded image, which has 4") {
            _ = Tensor.zeros([1, 4, 4, 1]).maxPooled([5])
        },
        Mistake("a padding of 2 is not smaller than the window, 2") {
            _ = Tensor.zeros([1, 4, 4, 1]).averagePooled([2], padding: 2)
        },
        Mistake("expected positive windows and strides, found [2, 2] and [0, 0]") {
            _ = Tensor.zeros([1, 4, 4, 1]).maxPooled([2], strides: [0])
        },
        Mistake("3 and 0 positions are more than axis 1 of float32[1, 3, 3, 1] can give") {
            _ = Tensor.zeros([1, 3, 3, 1]).padded(before: [3], after: [0], mode: .reflect)
        },
    ]
}
