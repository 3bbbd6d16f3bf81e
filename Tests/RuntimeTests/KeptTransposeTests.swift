import Arrays
import Graph
import Testing

import Runtime

/// A weight's transpose lasts from run to run, and must never be that of another weight.
@Suite struct KeptTransposeTests {
    /// Sizes with and without rests of eight; small ones are updated at once, large ones in shards.
    static let sizes = [(8, 512), (65, 64), (96, 160), (131, 77)]

    private func array(_ shape: Shape, seed: UInt64) -> NDArray {
        NDArray(Philox(key: seed).normal(shape).map { Float($0) }, shape: shape)
    }

    private func makeStep(_ weight: Variable, _ backend: Backend) -> Step {
        let scalars = Tensor(NDArray([0.05, 1, 0, 1]))
        return Step(backend: backend, workers: Workers(count: 2)) { inputs in
            let y = inputs[0].matmul(weight.tensor, transposingOther: true).tanh()
            let loss = (y * y).mean()
            loss.requireFinite("loss")
            let gradient = loss.gradients([weight.tensor])[0]
            let update = SGDUpdate(momentum: 0, isNesterov: false, decay: 0)
            weight.propose(Node(update, [weight.tensor, gradient, scalars]).tensor)
            return [loss]
        }
    }

    private func compare(_ fast: NDArray, _ reference: NDArray) {
        let expected = reference.elements(as: Double.self)
        for (a, b) in zip(fast.elements(as: Double.self), expected) {
            #expect(abs(a - b) <= 1e-5 * (1 + abs(b)))
        }
    }

    @Test(arguments: sizes)
    func followsUpdatesAndForeignChanges(units: Int, features: Int) {
        let initial = array([units, features], seed: 1)
        let weights = [Variable(initial), Variable(initial)]
        let steps = [makeStep(weights[0], .fast), makeStep(weights[1], .reference)]
        for run in 0..<12 {
            // Batches of two sizes are two plans that take turns with the same weight.
            let batch = array([run % 3 == 2 ? 5 : 16, features], seed: UInt64(10 + run))
            if run == 6 {
                for weight in weights { weight.value = array([units, features], seed: 3) }
            }
            let losses = steps.map { $0.run([batch]).outputs[0] }
            compare(losses[0], losses[1])
            compare(weights[0].value, weights[1].value)
        }
        #expect(weights[0].value.elements(as: Float.self) != initial.elements(as: Float.self))
    }

    @Test(arguments: sizes)
    func aBatchThatIsDroppedChangesNothing(units: Int, features: Int) {
        let weight = Variable(array([units, features], seed: 1))
        let step = makeStep(weight, .fast)
        let batch = array([16, features], seed: 2)
        _ = step.run([batch])
        let before = weight.value
        let bad = NDArray(repeating: Float.nan, shape: [16, features])
        #expect(!step.run([bad]).isCommitted)
        #expect(weight.value.elements(as: Float.self) == before.elements(as: Float.self))
        let twin = Variable(before)
        let loss = step.run([batch]).outputs[0]
        let expected = makeStep(twin, .fast).run([batch]).outputs[0]
        #expect(loss.item(as: Float.self) == expected.item(as: Float.self))
        #expect(weight.value.elements(as: Float.self) == twin.value.elements(as: Float.self))
    }

    @Test func theTransposeIsNotMadeAnew() throws {
        let step = makeStep(Variable(array([96, 160], seed: 1)), .fast)
        let plan = try #require(step.compiled([TensorSpec([16, 160], .float32)]).plan)
        #expect(plan.schedule.keptTransposes.leaves.count == 1)
        #expect(!plan.description.contains("transpose"))
    }
}
