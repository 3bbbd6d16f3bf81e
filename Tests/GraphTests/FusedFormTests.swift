import Arrays
import Graph
import Runtime
import TestSupport
import Testing

/// The forms that fusion makes compute what the operations they replace compute.
@Suite struct FusedFormTests {
    private static let activations: [FusedActivation] = [
        .identity, .leakyReLU(slope: 0), .leakyReLU(slope: 0.2), .relu6,
    ]

    private let shape: Shape = [3, 2, 4, 3]

    private func constant(_ sample: SampleInput) -> Tensor { Tensor(sample.array) }

    private func apply(_ activation: FusedActivation, _ x: Tensor) -> Tensor {
        switch activation {
        case .identity: x
        case .leakyReLU(let slope): x.leakyReLU(slope: slope)
        case .relu6: x.clamped(to: 0...6)
        }
    }

    private func expectEqual(_ found: [Tensor], _ expected: [Tensor]) {
        let values = ReferenceInterpreter<Double>().evaluate(found + expected)
        for (a, b) in zip(values.prefix(found.count), values.dropFirst(found.count)) {
            #expect(a.shape == b.shape)
            for (x, y) in zip(a.elements, b.elements) {
                #expect(abs(x - y) <= 1e-12 * (1 + abs(y)))
            }
        }
    }

    @Test(arguments: activations, [1, 3])
    func forwardAndBackward(_ activation: FusedActivation, _ axis: Int) {
        let channels = shape[axis]
        func vector(_ seed: UInt64, _ range: Range<Double> = -1..<1) -> Tensor {
            constant(.perChannel(channels, in: range, seed: seed))
        }
        let x = constant(.normal(shape)) * 4
        let (dy, residual) = (constant(.normal(shape, seed: 2)), constant(.normal(shape, seed: 3)))
        let (mean, low) = (vector(4), vector(5, -1e-3..<1e-3))
        let (scale, shift) = (vector(6, 0.5..<2), vector(7))
        let (a, b, c) = (vector(8), vector(9), vector(10))

        let all = CentredParts(mean: true, low: true, scale: true, shift: true, residual: true)
        let vectors = [mean, low, scale, shift]
        let inner = x.centredScale(axis: axis, mean: mean, low: low, scale: scale, shift: shift)
        let argument = inner + residual
        let y = apply(activation, argument)
        expectEqual(
            [
                Node(
                    CentredScale(axis: axis, parts: all, activation: activation),
                    [x] + vectors + [residual]
                ).tensor
            ], [y])

        // The gradient behind the activation, and the sums and the input's gradient made of it.
        let behind = pullback(of: [y], seeds: [dy], to: [argument])[0]
        let centring = CentredParts(mean: true, low: true, scale: false, shift: false)
        expectEqual(
            Node(
                CentredSums(axis: axis, parts: all, activation: activation),
                [dy, x] + vectors + [residual]
            ).tensors,
            Node(CentredSums(axis: axis, parts: centring), [behind, x, mean, low]).tensors)
        let dx =
            behind.centredScale(axis: axis, scale: a)
            + x.centredScale(axis: axis, mean: mean, low: low, scale: b, shift: c)
        expectEqual(
            Node(
                CentredInputGradient(
                    axis: axis, parts: all, activation: activation, givesInnerGradient: true),
                [dy, x, a, b, c] + vectors + [residual]
            ).tensors, [dx, behind])
    }
}
