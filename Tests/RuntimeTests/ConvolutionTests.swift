import Arrays
import Graph
import TestSupport
import Testing

import Runtime

@Suite struct ConvolutionTests {
    /// oneDNN knows every geometry of the sample cases: none is left to the slow reference.
    @Test(arguments: OperationCases.all.filter { $0.name.contains("convolution") })
    func everyConvolutionIsPacked(_ sample: OperationCase) {
        let specs = sample.inputs(.float32).map { TensorSpec($0.shape, $0.elementType) }
        let program = TracedStep(inputs: specs) { leaves in
            let outputs = sample.build(leaves)
            return outputs + pullback(of: outputs, seeds: outputs, to: leaves)
        }
        let nodes = topologicalOrder(Rewriter.standard.rewrite(program).roots)
        let names = nodes.map { "\(type(of: $0.operation))" }
        #expect(names.contains("PackedConvolution") && names.contains("SummedWeightGradient"))
        // A bias is added by the primitive.
        #expect(!sample.name.contains("bias") || !nodes.contains { $0.operation.name == "add" })
        for name in ["Convolution", "ConvolutionInputGradient", "ConvolutionWeightGradient"] {
            #expect(!names.contains(name))
        }
    }

    /// In bfloat16, against the reference on the same rounded numbers: a convolution rounds once, when it
    /// stores, and its weight's gradient not at all where float32 is asked for.
    @Test(arguments: OperationCases.all.filter { $0.name.contains("convolution") })
    func bfloat16AgreesWithReference(_ sample: OperationCase) {
        compareInBFloat16(sample, tolerance: 0x1p-8) { gradients in
            gradients + [gradients[1].cast(to: .float32)]
        }
    }

    /// Poolings and resizings round once for each axis, and sums over windows that overlap for each window.
    @Test(
        arguments: OperationCases.all.filter { sample in
            ["pooling", "padding", "resizing"].contains { sample.name.contains($0) }
        })
    func bfloat16PoolingAgreesWithReference(_ sample: OperationCase) {
        compareInBFloat16(sample, tolerance: 0x1p-6) { $0 }
    }

    private func compareInBFloat16(
        _ sample: OperationCase, tolerance: Double, _ select: @escaping ([Tensor]) -> [Tensor]
    ) {
        let inputs = sample.inputs(.bfloat16)
        let body: ([Tensor]) -> [Tensor] = { leaves in
            let outputs = sample.build(leaves)
            let seeds = outputs.map { Tensor(repeating: 0.75, shape: $0.shape, $0.elementType) }
            return outputs + select(pullback(of: outputs, seeds: seeds, to: leaves))
        }
        let expected = Step(backend: .reference, body).run(inputs).outputs
        let found = Step(workers: Workers(count: 2), body).run(inputs).outputs
        for (position, (a, b)) in zip(found, expected).enumerated() {
            #expect(a.shape == b.shape && a.elementType == b.elementType)
            let (x, y) = (a.elements(as: Double.self), b.elements(as: Double.self))
            let scale = max(1, y.map(abs).max() ?? 1)
            let limit = a.elementType == .bfloat16 ? tolerance : 1e-5
            let worst = zip(x, y).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= limit * scale, "result \(position): \(worst) of \(scale)")
        }
    }

    /// Weights change from step to step: each run packs them anew.
    @Test func packsTheWeightsOfEachRun() {
        let step = Step { [$0[0].convolution($0[1], padding: 1)] }
        for seed in 1...3 as ClosedRange<UInt64> {
            let x = NDArray(
                Philox(key: seed).normal([9, 5, 5, 4]).map { Float($0) }, shape: [9, 5, 5, 4])
            let w = NDArray(
                Philox(key: seed + 9).normal([6, 4, 3, 3]).map { Float($0) }, shape: [6, 4, 3, 3])
            let found = step(x, w).outputs[0].elements(as: Double.self)
            let expected = Step(backend: .reference) { [$0[0].convolution($0[1], padding: 1)] }(
                x, w
            ).outputs[0].elements(as: Double.self)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }
}

@Suite struct MergeTreeTests {
    /// Whatever the order in which groups finish, the same merges happen, each after its parts.
    @Test(arguments: 1...8)
    func mergesInTheFixedTree(count: Int) {
        var expected: [[Int]] = []
        mergeInTree(count) { expected.append([$0, $1]) }
        let tree = MergeTree(count: count)
        var generator = PhiloxGenerator(seed: 7)
        for _ in 0..<50 {
            var merges: [[Int]] = []
            var texts = (0..<count).map { "\($0)" }
            let finished = (0..<count).shuffled(using: &generator).map { group in
                tree.arrive(group) { into, from in
                    merges.append([into, from])
                    texts[into] = "(\(texts[into]) \(texts[from]))"
                }
            }
            #expect(finished == Array(repeating: false, count: count - 1) + [true])
            #expect(Set(merges) == Set(expected) && merges.count == expected.count)
            var ordered = (0..<count).map { "\($0)" }
            for pair in expected { ordered[pair[0]] = "(\(ordered[pair[0]]) \(ordered[pair[1]]))" }
            #expect(texts[0] == ordered[0])
        }
    }
}
