import Arrays
import Graph

/// Turns a traced step into phases of kernels over buffers: the compiler's last stage.
package struct Planner {
    let program: TracedStep
    let schedule: Schedule
    let workers: Int

    /// Where the value of a base tensor lives.
    package enum Home: Hashable {
        case scratch(offset: Int)
        /// Never stored as a whole: see ``ElementwiseTiles``.
        case tile
        case arena(offset: Int)
        case constant
        case slot(Int)
    }

    private(set) var slots = SlotTable()
    private var homes: [Tensor: Home] = [:]
    private var segmentKeys: [[SegmentKey]] = []
    /// For each phase and segment, the nodes in the order in which they run; several in one entry run
    /// together, tile by tile or as ``GatedSums``.
    private var segmentGroups: [[[[Node]]]] = []
    private var epilogues: [[Node]] = []
    private var besides: [[Node]] = []
    private var prologue: [Node] = []
    private(set) var arenaBytes = 0
    private(set) var scratchBytes = 0
    private(set) var constants: [NDArray] = []

    struct SegmentKey: Hashable {
        let units: Schedule.Units
    }

    init(_ program: TracedStep, workers: Int) {
        self.program = program.separatingResults()
        schedule = Schedule(self.program)
        self.workers = workers
    }

    /// Everything a run needs. Throws where that is more than the machine's memory.
    mutating func plan() throws(MemoryError) -> Plan {
        bindSlots()
        sortIntoPhases()
        placeBuffers()
        let bytes = Double(arenaBytes) + Double(scratchBytes) * Double(workers) + slots.byteCount
        try PhysicalMemory.require(bytes, for: "the step")
        let arena = Storage(zeroed: arenaBytes)
        let builder = KernelBuilder(
            schedule: schedule, homes: homes, arena: arena.pointer,
            commits: schedule.commits)
        var phases = (0..<max(schedule.phaseCount, 1)).map { phase -> ExecutablePhase in
            var result = ExecutablePhase()
            guard phase < segmentKeys.count else { return result }
            for (key, groups) in zip(segmentKeys[phase], segmentGroups[phase]) {
                result.segments.append(builder.segment(key.units, groups))
            }
            result.beside = besides[phase].flatMap { builder.serial($0) }
            result.besideByteCount = builder.byteCount(besides[phase])
            result.epilogue = epilogues[phase].flatMap { builder.serial($0) }
            return result
        }
        phases[0].prologue = prologue.flatMap { builder.serial($0) }
        let commitGuard = insertGuard(into: &phases, builder)
        return Plan(
            program: program, schedule: schedule, homes: homes, slots: slots, arena: arena,
            constants: constants, phases: phases,
            segmentNodes: segmentGroups.map { $0.map { $0.flatMap { $0 } } },
            job: Job(
                phases: phases, slots: slots.count, scratchBytes: scratchBytes, workers: workers),
            commitGuard: commitGuard, scratchBytes: scratchBytes,
            keptTransposes: keptTransposes(in: arena))
    }

    /// The check that decides on the commit runs at the end of the phase by which all is known.
    private func insertGuard(
        into phases: inout [ExecutablePhase], _ builder: KernelBuilder
    ) -> CommitGuard {
        let checks = program.checks.map { check in
            CommitGuard.Check(
                label: check.label, operand: builder.operand(check.tensor, units: nil),
                spec: check.tensor.spec)
        }
        let time = program.checks.map { schedule[schedule.base($0.tensor).node].time }.max() ?? -1
        let commitGuard = CommitGuard(checks, gate: builder.gate)
        if time < 0 {
            phases[0].prologue.append(commitGuard)
        } else {
            // Before the serial commits of the same epilogue, which come last in it.
            let epilogue = phases[time / 2].epilogue
            let commits = epilogue.filter { $0 is CommitKernel }.count
            phases[time / 2].epilogue.insert(commitGuard, at: epilogue.count - commits)
        }
        return commitGuard
    }

    // MARK: - Phases

    private mutating func sortIntoPhases() {
        let count = max(schedule.phaseCount, 1)
        segmentKeys = Array(repeating: [], count: count)
        var segmentNodes = [[[Node]]](repeating: [], count: count)
        epilogues = Array(repeating: [], count: count)
        besides = Array(repeating: [], count: count)
        let commits = schedule.commits
        for node in schedule.nodes {
            let entry = schedule[node]
            switch entry.mode {
            case .leaf, .alias: continue
            case .serial:
                if entry.time < 0 {
                    prologue.append(node)
                } else if entry.time % 2 == 0 {
                    besides[entry.time / 2].append(node)
                } else {
                    epilogues[entry.time / 2].append(node)
                }
            case .rows(let units), .reduction(let units):
                let phase = entry.time / 2
                let key = SegmentKey(units: units)
                if let index = segmentKeys[phase].firstIndex(of: key) {
                    segmentNodes[phase][index].append(node)
                } else {
                    segmentKeys[phase].append(key)
                    segmentNodes[phase].append([node])
                }
            }
        }
        for phase in 0..<count {
            epilogues[phase] =
                epilogues[phase].filter { commits[$0] == nil }
                + epilogues[phase].filter { commits[$0] != nil }
        }
        let readers = readers()
        let checked = Set(program.checks.map { schedule.base($0.tensor) })
        segmentGroups = segmentNodes.map {
            $0.map { nodes in
                let gated = GatedSums.all(
                    in: nodes, schedule,
                    isPassed: { tensor, reader in
                        homes[tensor] == nil && !checked.contains(tensor)
                            && readers[tensor] == [reader]
                    },
                    isKept: { tensor, reader in
                        homes[tensor] != nil || readers[tensor] != [reader]
                    })
                return ElementwiseTiles(nodes, schedule, gated: gated) { commits[$0] != nil }.groups
            }
        }
    }

    /// For each base tensor, the nodes that read it.
    private func readers() -> [Tensor: Set<Node>] {
        var result: [Tensor: Set<Node>] = [:]
        for node in schedule.nodes where schedule[node].mode != .alias {
            for input in node.inputs { result[schedule.base(input), default: []].insert(node) }
        }
        return result
    }

    // MARK: - Memory

    private mutating func bindSlots() {
        for node in schedule.nodes {
            switch node.operation {
            case let leaf as ConstantLeaf:
                homes[node.tensor] = .constant
                constants.append(leaf.value)
            case let leaf as InputLeaf:
                homes[node.tensor] = .slot(slots.input(leaf.position))
            case let leaf as VariableLeaf:
                homes[node.tensor] = .slot(slots.variable(leaf.variable))
            default: continue
            }
        }
        for (node, _) in schedule.commits {
            for (output, input) in node.operation.inPlace.enumerated() {
                guard let input, case .slot(let slot)? = homes[node.inputs[input]] else { continue }
                homes[Tensor(node: node, index: output)] = .slot(slot)
                slots.overwrite(slot)
            }
        }
        for output in program.outputs {
            homes[schedule.base(output)] = .slot(slots.output(output.spec))
        }
        for proposal in program.proposals where homes[schedule.base(proposal.value)] == nil {
            homes[schedule.base(proposal.value)] = .slot(slots.proposal(proposal.variable))
        }
    }

    /// Decides for every result between scratch (its shard is all anyone wants of it) and the arena.
    private mutating func placeBuffers() {
        var lastUse: [Tensor: Int] = [:]
        var leavesShard: Set<Tensor> = []
        let readers = readers()
        for node in schedule.nodes {
            let entry = schedule[node]
            if entry.mode == .alias { continue }
            for input in node.inputs {
                let base = schedule.base(input)
                lastUse[base] = max(lastUse[base] ?? Int.min, entry.time)
                if !isShardLocal(input, in: node) { leavesShard.insert(base) }
            }
        }
        for check in program.checks {
            leavesShard.insert(schedule.base(check.tensor))
            lastUse[schedule.base(check.tensor)] = Int.max - 1
        }
        // What only those read that run together with its maker needs no memory of its own.
        for group in segmentGroups.joined().joined() where group.count > 1 {
            for node in group
            where node.outputs.count == 1 && homes[node.tensor] == nil
                && !leavesShard.contains(node.tensor)
                && readers[node.tensor, default: []].isSubset(of: group)
            {
                homes[node.tensor] = .tile
            }
        }
        var arena: [(Tensor, MemoryLayout.Interval)] = []
        var scratch: [(phase: Int, segment: Schedule.Units, tensor: Tensor)] = []
        for node in schedule.nodes {
            let entry = schedule[node]
            if schedule.keptTransposes.contains(node) {
                let always = MemoryLayout.Interval(
                    byteCount: schedule.keptTransposes.byteCount(node), times: Int.min...Int.max)
                arena.append((node.tensor, always))
            }
            guard entry.mode != .leaf, entry.mode != .alias else { continue }
            for tensor in node.tensors where homes[tensor] == nil {
                if case .rows(let units) = entry.mode, !leavesShard.contains(tensor) {
                    scratch.append((entry.time / 2, units, tensor))
                } else {
                    let last = max(lastUse[tensor] ?? entry.time, entry.time)
                    arena.append(
                        (
                            tensor,
                            .init(byteCount: tensor.spec.byteCount, times: entry.time...last)
                        ))
                }
            }
        }
        let layout = MemoryLayout(arena.map(\.1))
        arenaBytes = layout.byteCount
        for ((tensor, _), offset) in zip(arena, layout.offsets) {
            homes[tensor] = .arena(offset: offset)
        }
        placeScratch(scratch)
    }

    private func keptTransposes(in arena: Storage) -> [KeptTranspose] {
        schedule.keptTransposes.leaves.compactMap { node, leaf in
            guard let leaf = leaf.operation as? VariableLeaf,
                case .arena(let offset)? = homes[node.tensor]
            else { return nil }
            let target = (arena.pointer + offset).assumingMemoryBound(to: Float.self)
            return KeptTranspose(
                leaf.variable, target, stride: schedule.keptTransposes.rowStride(node))
        }
    }

    private mutating func placeScratch(
        _ tensors: [(phase: Int, segment: Schedule.Units, tensor: Tensor)]
    ) {
        var groups: [Int: [Schedule.Units: [Tensor]]] = [:]
        for entry in tensors {
            groups[entry.phase, default: [:]][entry.segment, default: []].append(entry.tensor)
        }
        for (phase, segments) in groups {
            for (units, tensors) in segments {
                let index = segmentKeys[phase].firstIndex(of: SegmentKey(units: units))!
                let nodes = segmentGroups[phase][index].flatMap { $0 }
                let perShard = ShardSize(schedule).unitsPerShard(units, nodes)
                let position = Dictionary(
                    uniqueKeysWithValues: segmentGroups[phase][index].enumerated().flatMap {
                        place, group in group.map { ($0, place) }
                    })
                var last = Dictionary(
                    uniqueKeysWithValues: tensors.map { ($0, position[$0.node]!) })
                for node in nodes {
                    for input in node.inputs {
                        let base = schedule.base(input)
                        if last[base] != nil { last[base] = max(last[base]!, position[node]!) }
                    }
                }
                let layout = MemoryLayout(
                    tensors.map { tensor in
                        .init(
                            byteCount: tensor.spec.byteCount / max(units.count, 1) * perShard,
                            times: position[tensor.node]!...last[tensor]!)
                    })
                scratchBytes = max(scratchBytes, layout.byteCount)
                for (tensor, offset) in zip(tensors, layout.offsets) {
                    homes[tensor] = .scratch(offset: offset)
                }
            }
        }
    }

    /// Whether a node reads only the rows of this input that its own shard has just made.
    private func isShardLocal(_ input: Tensor, in node: Node) -> Bool {
        let producer = schedule[schedule.base(input).node]
        let consumer = schedule[node]
        guard case .rows(let made) = producer.mode, producer.time == consumer.time else {
            return false
        }
        switch consumer.mode {
        case .rows(let units), .reduction(let units): return units == made
        default: return false
        }
    }
}

extension TracedStep {
    /// The same step with every output and proposal in memory of its own: what is also a leaf, or another
    /// result, is copied.
    package func separatingResults() -> TracedStep {
        var result = self
        var taken: Set<Tensor> = []
        func base(_ tensor: Tensor) -> Tensor {
            var tensor = tensor
            while tensor.node.operation is Reshape { tensor = tensor.node.inputs[0] }
            return tensor
        }
        func own(_ tensor: Tensor) -> Tensor {
            let source = base(tensor)
            if !source.node.inputs.isEmpty, taken.insert(source).inserted { return tensor }
            return Tensor(Copy(), tensor)
        }
        // Proposals first: an update in place must stay one.
        result.proposals = proposals.map { ($0.variable, own($0.value)) }
        result.outputs = outputs.map(own)
        return result
    }
}
