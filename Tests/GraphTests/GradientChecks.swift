import Arrays
import Graph
import Runtime
import TestSupport
import Testing

/// Compares gradients with central differences in Double, along random directions of each input and along
/// single elements.
struct GradientChecker {
    let inputs: [NDArray]
    let step = 1e-5
    let tolerance = 2e-7

    /// The value of a scalar tensor with one input moved along a direction.
    private func value(
        of scalar: Tensor, moving input: Int, along direction: [Double], by distance: Double
    ) -> Double {
        var moved = inputs
        let elements = inputs[input].elements(as: Double.self)
        moved[input] = NDArray(
            zip(elements, direction).map { $0 + distance * $1 }, shape: inputs[input].shape)
        return ReferenceInterpreter<Double>(inputs: moved).evaluate([scalar])[0].elements[0]
    }

    /// Checks the gradient of `scalar` with respect to an input.
    func check(_ scalar: Tensor, input: Int, gradient: Tensor, _ comment: String) {
        let values = ReferenceInterpreter<Double>(inputs: inputs).evaluate([gradient])[0].elements
        let count = values.count
        let philox = Philox(key: 99)
        var directions = (0..<2).map { philox.normal([count], offset: UInt64($0 * count)) }
        if count > 0 {
            directions.append((0..<count).map { $0 == count / 2 ? 1 : 0 })
        }
        for direction in directions {
            let ahead = value(of: scalar, moving: input, along: direction, by: step)
            let behind = value(of: scalar, moving: input, along: direction, by: -step)
            let expected = (ahead - behind) / (2 * step)
            let found = zip(values, direction).reduce(0) { $0 + $1.0 * $1.1 }
            let size = zip(values, direction).reduce(1) { $0 + abs($1.0 * $1.1) }
            #expect(
                abs(found - expected) <= tolerance * size,
                "\(comment): input \(input), expected \(expected), found \(found)")
        }
    }
}

/// Checks first and second derivatives of a case's outputs by its differentiable inputs.
func checkGradients(_ sample: OperationCase) {
    let (leaves, outputs) = sample.traced(.float64)
    let checker = GradientChecker(inputs: sample.inputs(.float64))
    let variables = sample.differentiable.map { leaves[$0] }
    let first = weightedSum(outputs, seed: 101)
    let gradients = first.gradients(variables)
    let second = weightedSum(gradients, seed: 102)
    let secondGradients = second.gradients(variables)
    for (position, input) in sample.differentiable.enumerated() {
        checker.check(first, input: input, gradient: gradients[position], "first derivative")
        checker.check(
            second, input: input, gradient: secondGradients[position], "second derivative")
    }
}

/// The sum of all elements times fixed weights, so that no two elements count the same.
private func weightedSum(_ tensors: [Tensor], seed: UInt64) -> Tensor {
    tensors.enumerated().reduce(Tensor.zeros([], .float64)) { sum, tensor in
        let weights = Philox(key: seed).derived(UInt64(tensor.offset)).normal(tensor.element.shape)
        let weighted = tensor.element * Tensor(NDArray(weights, shape: tensor.element.shape))
        return sum + weighted.sum()
    }
}

@Suite struct GradientTests {
    @Test(arguments: OperationCases.all.filter { !$0.differentiable.isEmpty })
    func derivativesMatchFiniteDifferences(_ sample: OperationCase) {
        checkGradients(sample)
    }

    /// At corners the gradient is a choice; these are the choices.
    @Test func choicesAtCorners() {
        let x = Tensor([-1.0, 0, 1])
        func gradient(_ build: (Tensor) -> Tensor) -> [Double] {
            build(x).sum().gradients([x])[0].evaluate(backend: .reference).elements()
        }
        #expect(gradient { $0.relu() } == [0, 0, 1])
        #expect(gradient { $0.abs() } == [-1, 0, 1])
        #expect(gradient { $0.clamped(to: 0...1) } == [0, 1, 1])
        #expect(gradient { .maximum($0, .zeros([3], .float64)) } == [0, 0.5, 1])
        #expect(gradient { .minimum($0, .zeros([3], .float64)) } == [1, 0.5, 0])
        #expect(gradient { ($0 * $0).max() } == [-1, 0, 1])
    }

    /// A factor of zero times an infinite one must not make NaN.
    @Test func powersAtZero() {
        let x = Tensor([0.0, 2])
        func derivatives(_ build: (Tensor) -> Tensor) -> [[Double]] {
            let first = build(x).sum().gradients([x])[0]
            let second = first.sum().gradients([x])[0]
            let third = second.sum().gradients([x])[0]
            return [first, second, third].map { $0.evaluate(backend: .reference).elements() }
        }
        #expect(derivatives { $0.power(2) } == [[0, 4], [2, 2], [0, 0]])
        #expect(derivatives { $0.power(1) } == [[1, 1], [0, 0], [0, 0]])
        #expect(derivatives { $0.power(0) } == [[0, 0], [0, 0], [0, 0]])

        let base = Tensor([0.0, 0, 0])
        let exponent = Tensor([0.0, 1, 2])
        let gradients = base.power(exponent).sum().gradients([base, exponent])
        let values = gradients.map { $0.evaluate(backend: .reference).elements(as: Double.self) }
        #expect(values == [[0, 1, 0], [0, 0, 0]])
    }

    @Test func tensorsWithoutInfluenceGetZeros() {
        let (x, y) = (Tensor([1.0, 2]), Tensor([3.0]))
        let gradients = x.sum().gradients([x, y])
        #expect(gradients[1].evaluate(backend: .reference) == NDArray([0.0]))
    }

    /// An intermediate tensor is a target as good as a leaf, and does not hide what lies behind it.
    @Test func intermediateTensorsAreTargets() {
        let x = Tensor([3.0])
        let square = x.square()
        let gradients = square.square().sum().gradients([x, square])
        let values = gradients.map { $0.evaluate(backend: .reference).item(as: Double.self) }
        #expect(values == [108, 18])
    }
}
