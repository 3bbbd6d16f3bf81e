import Arrays
import Graph

/// A step compiled for given input shapes: phases of kernels, and the memory they work in.
public final class Plan {
    let program: TracedStep
    package let schedule: Schedule
    package let homes: [Tensor: Planner.Home]
    package let phases: [ExecutablePhase]
    /// The nodes of each phase's segments, for the description.
    let segmentNodes: [[[Node]]]
    let scratchBytes: Int
    let arena: Storage
    private let slots: SlotTable
    /// Keeps the memory of constants alive.
    private let constants: [NDArray]
    private let job: Job
    private let commitGuard: CommitGuard
    private var keptTransposes: [KeptTranspose]
    /// For each output of the step, the slot it is written to.
    private let outputSlots: [Int]
    /// Values of variables that are read, kept alive and unchanged while the step runs.
    private var held: [Storage] = []
    /// Memory of results, reused once nobody else holds it.
    private var spares: [Storage?]

    init(
        program: TracedStep, schedule: Schedule, homes: [Tensor: Planner.Home], slots: SlotTable,
        arena: Storage, constants: [NDArray], phases: [ExecutablePhase],
        segmentNodes: [[[Node]]], job: Job,
        commitGuard: CommitGuard, scratchBytes: Int, keptTransposes: [KeptTranspose]
    ) {
        self.program = program
        self.schedule = schedule
        self.homes = homes
        self.slots = slots
        self.arena = arena
        self.constants = constants
        self.phases = phases
        self.segmentNodes = segmentNodes
        self.job = job
        self.commitGuard = commitGuard
        self.scratchBytes = scratchBytes
        self.keptTransposes = keptTransposes
        outputSlots = program.outputs.map { output in
            guard case .slot(let slot)? = homes[schedule.base(output)] else {
                preconditionFailure("an output must have a slot")
            }
            return slot
        }
        spares = Array(repeating: nil, count: slots.count)
    }

    /// Runs the step once.
    func run(_ inputs: [NDArray], on workers: Workers) -> Step.Outcome {
        check(inputs)
        for kept in keptTransposes { kept.refresh() }
        for (slot, binding) in slots.bindings.enumerated() {
            switch binding {
            case .input(let position): job.table[slot] = inputs[position].storage.pointer
            case .variable(let variable, isOverwritten: true):
                job.table[slot] = variable.exclusiveStorage().pointer
            case .variable(let variable, isOverwritten: false):
                let storage = variable.value.storage
                job.table[slot] = storage.pointer
                held.append(storage)
            case .proposal(let variable): job.table[slot] = result(slot, variable.spec.byteCount)
            case .output(let spec): job.table[slot] = result(slot, spec.byteCount)
            }
        }
        withExtendedLifetime(inputs) { workers.run(job) }
        held.removeAll(keepingCapacity: true)
        for index in keptTransposes.indices { keptTransposes[index].settle() }
        if commitGuard.failedLabels.isEmpty { commit() }
        return Step.Outcome(outputs: outputs(), failedChecks: commitGuard.failedLabels)
    }

    private func check(_ inputs: [NDArray]) {
        precondition(
            inputs.count == program.inputs.count,
            "step: expected \(program.inputs.count) inputs, found \(inputs.count)")
    }

    /// Memory for a result: the last run's if nobody has kept it.
    private func result(_ slot: Int, _ byteCount: Int) -> UnsafeMutableRawPointer {
        if spares[slot] == nil || !isKnownUniquelyReferenced(&spares[slot]!) {
            spares[slot] = Storage(zeroed: byteCount)
        }
        return spares[slot]!.pointer
    }

    /// Makes the proposed values the variables' values; the old memory serves the next run.
    private func commit() {
        for (slot, binding) in slots.bindings.enumerated() {
            guard case .proposal(let variable) = binding else { continue }
            spares[slot] = variable.exchange(spares[slot]!)
        }
    }

    private func outputs() -> [NDArray] {
        zip(program.outputs, outputSlots).map { output, slot in
            NDArray(storage: spares[slot]!, shape: output.shape, elementType: output.elementType)
        }
    }
}
