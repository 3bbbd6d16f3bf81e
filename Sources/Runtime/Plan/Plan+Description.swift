import Arrays
import Graph

/// What a plan does, for a person: phases, shards, what is stored and what is recomputed, bytes.
extension Plan: CustomStringConvertible {
    public var description: String {
        var lines: [String] = []
        let batch = program.inputs.map { "\($0)" }.joined(separator: ", ")
        lines.append("step over inputs \(batch)")
        lines.append(
            "\(phases.count) phases, arena \(Self.bytes(arena.byteCount)), scratch "
                + "\(Self.bytes(scratchBytes)) per worker, saved for backward "
                + "\(Self.bytes(savedActivationBytes))")
        let serial = Dictionary(
            grouping: schedule.nodes.filter { schedule[$0].mode == .serial }
        ) { schedule[$0].time }
        for phase in phases.indices {
            lines.append("phase \(phase)")
            for (index, segment) in phases[phase].segments.enumerated() {
                lines += describe(segment, nodes: segmentNodes[phase][index])
            }
            let beside = serial[2 * phase] ?? []
            if !beside.isEmpty { lines.append("  beside, once: \(Self.summary(beside))") }
            let after = (serial[2 * phase + 1] ?? []) + (phase == 0 ? serial[-1] ?? [] : [])
            if !after.isEmpty { lines.append("  then, once: \(Self.summary(after))") }
        }
        return lines.joined(separator: "\n")
    }

    /// What runs once, in a line: arithmetic on a few numbers or a vector is counted, not named.
    private static func summary(_ nodes: [Node]) -> String {
        let named = nodes.filter { !isArithmetic($0.operation) }
        var parts = Dictionary(grouping: named, by: \.operation.name)
            .map { $1.count > 1 ? "\($0) x\($1.count)" : $0 }.sorted()
        let rest = nodes.filter { isArithmetic($0.operation) }
        if let largest = rest.flatMap(\.outputs).map(\.shape.elementCount).max() {
            parts.append(
                "arithmetic x\(rest.count) on \(largest) number\(largest == 1 ? "" : "s") at most")
        }
        return parts.joined(separator: ", ")
    }

    private static func isArithmetic(_ operation: any Operation) -> Bool {
        operation is Unary || operation is Binary || operation is Cast || operation is Comparison
            || operation is Select || operation is Broadcast || operation is Concatenate
    }

    /// All memory that a step works in, allocated once.
    public var arenaBytes: Int { arena.byteCount }

    /// Bytes of tensors with a row per sample that are made by the time the outputs (the loss, say) are
    /// known, and read later: the activations that training keeps for its backward pass.
    public var savedActivationBytes: Int {
        let known = program.outputs.map { schedule[schedule.base($0).node].time }.max() ?? -1
        var saved: Set<Tensor> = []
        for node in schedule.nodes
        where schedule[node].time > known && schedule[node].mode != .alias {
            for input in node.inputs {
                let base = schedule.base(input)
                guard case .rows(let units) = schedule[base.node].mode, units.isBatch,
                    schedule[base.node].time <= known
                else { continue }
                saved.insert(base)
            }
        }
        return saved.reduce(0) { $0 + $1.spec.byteCount }
    }

    private func describe(_ segment: ExecutableSegment, nodes: [Node]) -> [String] {
        var lines = [
            "  \(segment.shardCount) shards of \(segment.unitsPerShard) of \(segment.unitCount) rows, "
                + "in \(segment.groupCount) groups"
        ]
        for node in nodes {
            let outputs = node.tensors.map { tensor -> String in
                let place =
                    switch homes[tensor] {
                    case .scratch: "in cache"
                    case .tile: "in tiles"
                    case .arena: "stored, \(Self.bytes(tensor.spec.byteCount))"
                    case .slot: "result"
                    case .constant, nil: "constant"
                    }
                return "\(tensor.spec) (\(place))"
            }
            let merged = if case .reduction = schedule[node].mode { ", merged" } else { "" }
            let joined = segment.joined.contains(node) ? ", in the pass of another" : ""
            lines.append(
                "    \(node.operation.name) -> \(outputs.joined(separator: ", "))\(merged)\(joined)"
            )
        }
        return lines
    }

    static func bytes(_ count: Int) -> String {
        switch count {
        case ..<10_000: "\(count) B"
        case ..<10_000_000: "\((count + 500) / 1000) kB"
        default: "\((count + 500_000) / 1_000_000) MB"
        }
    }
}
