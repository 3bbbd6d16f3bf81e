import Arrays
import Graph

/// An operation for which the fast backend has kernels of its own.
protocol FastOperation: Operation {
    /// A kernel for this call, or nil where the general one must do.
    func kernel(_ call: KernelCall) -> Kernel?
}

/// An operation, merged over shards, that can be carried out on another's way; see ``JoinedPasses``.
protocol JoiningOperation: FastOperation {
    /// A kernel for this call and for another one, or nil where each has its own.
    func kernel(_ call: KernelCall, joining other: KernelCall) -> Kernel?
}

/// What a kernel is made from: one node, where its data lives, and how its shards are cut.
struct KernelCall {
    let node: Node
    let inputs: [Operand]
    let outputs: [Operand]
    /// nil for serial work, which is one shard.
    let units: Schedule.Units?
    let unitsPerShard: Int
    let groupCount: Int
    /// Whether the output is so large, and so little wanted soon, that stores should pass the caches.
    let streams: Bool
    /// For each output whether anybody wants to know it; what nobody does need not be written.
    let wantedOutputs: [Bool]

    var inputSpecs: [TensorSpec] { node.inputs.map(\.spec) }
    var outputSpecs: [TensorSpec] { node.outputs }

    /// How many entries of axis 0 belong to one unit.
    func rowsPerUnit(_ spec: TensorSpec) -> Int {
        guard let units, units.count > 0 else { return spec.shape.first ?? 1 }
        return (spec.shape.first ?? 1) / units.count
    }

    /// Elements per unit of a tensor that is split by units; all of them otherwise.
    func elementsPerUnit(_ spec: TensorSpec) -> Int {
        guard let units, units.count > 0 else { return spec.shape.elementCount }
        return spec.shape.elementCount / units.count
    }
}

/// Makes the kernels of a plan.
struct KernelBuilder {
    let schedule: Schedule
    let homes: [Tensor: Planner.Home]
    let arena: UnsafeMutableRawPointer
    /// Nodes that overwrite variables.
    let commits: [Node: [Node]]
    let gate = CommitGate()

    /// Large outputs of a phase that together are more than this are written past the caches, where nothing
    /// reads them in the same phase.
    static let streamingBytes = 16 << 20
    /// Passes over tensors larger than this ask ahead for what comes: the caches of two cores do not hold them.
    static let cachedBytes = 6 << 20

    /// - Parameter groups: the nodes in order; several in one entry run together.
    func segment(_ units: Schedule.Units, _ groups: [[Node]]) -> ExecutableSegment {
        var segment = ExecutableSegment(
            unitCount: units.count,
            unitsPerShard: ShardSize(schedule).unitsPerShard(units, groups.flatMap { $0 }))
        let joined = JoinedPasses(groups, schedule)
        let nodes = groups.flatMap { $0 }
        segment.byteCount = byteCount(nodes)
        for group in groups {
            guard let node = group.first, group.count == 1 else {
                let gated = GatedSums(group)
                let kernel =
                    gated.map { self.gated($0, units, segment) } ?? tiles(group, units, segment)
                if gated != nil { segment.joined.formUnion(group.dropFirst()) }
                if group.contains(where: isMerged) { segment.reductions.append(kernel) }
                segment.kernels.append(kernel)
                continue
            }
            if segment.joined.contains(node) { continue }
            if let partner = joined.partners[node],
                let kernel = kernel(node, units, segment, joining: partner)
            {
                segment.joined.insert(partner)
                segment.reductions.append(kernel)
                segment.kernels.append(kernel)
                continue
            }
            let kernel = kernel(node, units, segment)
            if let gradient = kernel as? WeightGradientKernel {
                gradient.ahead = ahead(of: node, in: nodes, units)
            }
            if isMerged(node) { segment.reductions.append(kernel) }
            segment.kernels.append(kernel)
            segment.kernels += keptTransposes(node, units)
        }
        return segment
    }

    /// Of all that the nodes read and write.
    func byteCount(_ nodes: [Node]) -> Int {
        Set(nodes.flatMap { $0.inputs + $0.tensors }.map(schedule.base))
            .reduce(0) { $0 + $1.spec.byteCount }
    }

    func serial(_ node: Node) -> [Kernel] {
        [kernel(node, nil, nil)] + keptTransposes(node, nil)
    }

    /// What follows an update of variables whose transposes are kept.
    private func keptTransposes(_ node: Node, _ units: Schedule.Units?) -> [Kernel] {
        guard let leaves = commits[node] else { return [] }
        return schedule.keptTransposes.leaves.filter { leaves.contains($1) }.map {
            transpose, leaf in
            let kernel = KeptTransposeKernel(
                operand(leaf.tensor, units: units),
                operand(transpose.tensor, units: nil).fixedPointer(),
                shape: leaf.outputs[0].shape,
                stride: schedule.keptTransposes.rowStride(transpose), units: units)
            return CommitKernel(kernel, gate: gate)
        }
    }

    private func isMerged(_ node: Node) -> Bool {
        if case .reduction = schedule[node].mode { true } else { false }
    }

    private func tiles(
        _ nodes: [Node], _ units: Schedule.Units, _ segment: ExecutableSegment
    ) -> Kernel {
        ElementwiseTilesKernel(
            nodes, units: units.count, unitsPerShard: segment.unitsPerShard,
            groups: segment.groupCount, isMerged: isMerged
        ) { tensor, reader in
            if homes[schedule.base(tensor)] == .tile { return nil }
            guard let reader, !(reader.operation is Sum) else {
                return operand(tensor, units: isMerged(tensor.node) ? nil : units)
            }
            let sharding = reader.operation.sharding(reader.inputs.map(\.spec), reader.outputs)
            guard case .rows(let aligned) = sharding else {
                preconditionFailure("\(reader.operation.name) is not work per row")
            }
            let index = reader.inputs.firstIndex(of: tensor)!
            return operand(tensor, units: aligned[index] ? units : nil)
        }
    }

    private func gated(
        _ nodes: GatedSums, _ units: Schedule.Units, _ segment: ExecutableSegment
    ) -> Kernel {
        let terms = nodes.sum?.inputs ?? [nodes.gradient.inputs[0]]
        return GatedSumsKernel(
            call(nodes.totals, units, segment).call,
            terms: terms.map { operand($0, units: units) },
            gate: operand(nodes.gradient.inputs[1], units: units))
    }

    /// The kernel that does the work of both nodes; nil where there is none.
    private func kernel(
        _ node: Node, _ units: Schedule.Units, _ segment: ExecutableSegment, joining partner: Node
    ) -> Kernel? {
        // Scratch memory is the partner's from its own place in the order on only.
        if case .rows = schedule[partner].mode, case .scratch? = homes[partner.tensor] {
            return nil
        }
        for (sums, other) in [(partner, node), (node, partner)] {
            guard let operation = sums.operation as? any JoiningOperation else { continue }
            return operation.kernel(
                call(sums, units, segment).call, joining: call(other, units, segment).call)
        }
        return nil
    }

    private func call(
        _ node: Node, _ units: Schedule.Units?, _ segment: ExecutableSegment?
    ) -> (call: KernelCall, aligned: [Bool], merges: Bool) {
        let aligned: [Bool]
        var merges = false
        switch node.operation.sharding(node.inputs.map(\.spec), node.outputs) {
        case .rows(let flags): aligned = flags
        case .reduction(let flags):
            aligned = flags
            merges = true
        case .whole: aligned = node.inputs.map { _ in false }
        }
        let call = KernelCall(
            node: node,
            inputs: zip(node.inputs, aligned).map { operand($0, units: $1 ? units : nil) },
            outputs: node.tensors.map { operand($0, units: merges ? nil : units) },
            units: units,
            unitsPerShard: segment?.unitsPerShard ?? 1,
            groupCount: segment?.groupCount ?? 1,
            streams: streams(node),
            wantedOutputs: node.tensors.map(schedule.isWanted))
        return (call, aligned, merges)
    }

    private func kernel(
        _ node: Node, _ units: Schedule.Units?, _ segment: ExecutableSegment?
    ) -> Kernel {
        let (call, aligned, merges) = call(node, units, segment)
        let kernel =
            (node.operation as? any FastOperation)?.kernel(call)
            ?? (merges
                ? ReferenceReductionKernel(call, aligned: aligned)
                : ReferenceRowsKernel(call, aligned: aligned))
        if commits[node] != nil { return CommitKernel(kernel, gate: gate) }
        return merges && units == nil ? SerialReductionKernel(kernel) : kernel
    }

    /// Where a tensor's data is found; split by units where given.
    func operand(_ tensor: Tensor, units: Schedule.Units?) -> Operand {
        let base = schedule.base(tensor)
        let unitBytes = units.map { $0.count == 0 ? 0 : tensor.spec.byteCount / $0.count } ?? 0
        switch homes[base]! {
        case .scratch(let offset):
            return Operand(place: .scratch, offset: offset, unitBytes: 0)
        case .tile: preconditionFailure("\(tensor.node.operation.name) has no memory of its own")
        case .arena(let offset):
            var operand = Operand(place: .fixed(arena), offset: offset, unitBytes: unitBytes)
            if schedule.keptTransposes.contains(base.node) {
                operand.rowStride = schedule.keptTransposes.rowStride(base.node)
            }
            return operand
        case .slot(let slot):
            return Operand(place: .bound(slot: slot), offset: 0, unitBytes: unitBytes)
        case .constant:
            // Only constants are given this home, by the planner.
            let value = (base.node.operation as! ConstantLeaf).value
            return Operand(place: .fixed(value.storage.pointer), offset: 0, unitBytes: unitBytes)
        }
    }

    private func streams(_ node: Node) -> Bool {
        guard let output = node.outputs.first, output.byteCount > Self.cachedBytes,
            case .rows(let units) = schedule[node].mode,
            storedBytes(schedule[node].time) > Self.streamingBytes
        else { return false }
        let time = schedule[node].time
        return !schedule.nodes.contains { other in
            other.inputs.contains { schedule.base($0).node == node }
                && schedule[other].time == time && schedule[other].mode != .alias
                && units.count > 0
        }
    }

    /// What the shards of a phase write to memory beyond their scratch.
    private func storedBytes(_ time: Int) -> Int {
        var sum = 0
        for node in schedule.nodes where schedule[node].time == time {
            guard case .rows = schedule[node].mode else { continue }
            for tensor in node.tensors {
                switch homes[tensor] {
                case .arena, .slot: sum += tensor.spec.byteCount
                default: break
                }
            }
        }
        return sum
    }
}
