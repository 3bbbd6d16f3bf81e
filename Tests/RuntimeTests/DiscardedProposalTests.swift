import Arrays
import Graph
import Runtime
import Testing

@Test("What is proposed while only looking is left out", arguments: [Backend.fast, .reference])
func discardedProposals(backend: Backend) {
    let seen = Variable(NDArray([1, 2] as [Float]))
    let changed = Variable(NDArray([5] as [Float]))
    let step = Step(backend: backend) { inputs in
        changed.propose(changed.tensor + 1)
        return Trace.discardingProposals {
            let next = seen.tensor + inputs[0]
            next.requireFinite("what is only looked at")
            seen.propose(next)
            // Within, the proposal counts.
            return [next, seen.tensor * 2]
        }
    }
    let outcome = step(NDArray([1, .infinity] as [Float]))
    #expect(outcome.outputs[0] == NDArray([2, .infinity] as [Float]))
    #expect(outcome.outputs[1] == NDArray([4, .infinity] as [Float]))
    #expect(outcome.isCommitted)
    #expect(seen.value == NDArray([1, 2] as [Float]))
    #expect(changed.value == NDArray([6] as [Float]))
}
