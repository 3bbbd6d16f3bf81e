import Arrays
import Graph

/// When and how every node of a step runs: the assignment of a graph to phases.
///
/// Time goes in half steps: phase p runs its shards at time 2p and its serial epilogue at 2p + 1. A result
/// made row by row can be used at the same time by work on the same rows; anything else needs all of it
/// and comes in a later phase. Reductions are complete for the epilogue of their phase. Serial work that
/// nothing waits for has time 2p too: one worker does it beside the shards.
package struct Schedule {
    package enum Mode: Hashable {
        /// A constant, an input, a variable, or the kept transpose of one.
        case leaf
        /// The same memory as its input.
        case alias
        /// Shard by shard, over units.
        case rows(Units)
        /// Shard by shard, merged at the end of the phase.
        case reduction(Units)
        /// Once, by one worker, in an epilogue or beside a phase's shards.
        case serial
    }

    /// What a segment's shards count: samples of the batch, or rows of something else.
    package struct Units: Hashable {
        var count: Int
        /// Whether the units are samples; work on samples shares shards.
        var isBatch: Bool
    }

    package struct Entry {
        package var mode: Mode
        /// 2 * phase, or 2 * phase + 1 for the epilogue; -1 before the first phase.
        package var time: Int
        /// How each output's rows group into units, where it has rows.
        var units: Units?
    }

    /// Elements above which whole work is split over workers rather than done in an epilogue.
    static let serialLimit = 8192

    private(set) var entries: [Node: Entry] = [:]
    /// For each time, the bytes of a sample in its convolutions, from the least to the most.
    private var grains: [Int: ClosedRange<Int>] = [:]
    /// All nodes, inputs before consumers.
    package let nodes: [Node]
    /// The nodes that overwrite variables, each with the leaves of the variables it overwrites.
    package let commits: [Node: [Node]]
    package let keptTransposes: KeptTransposes
    /// Results that somebody reads, or that are the step's.
    private let wanted: Set<Tensor>

    package subscript(node: Node) -> Entry { entries[node]! }

    var phaseCount: Int { (entries.values.map(\.time).max() ?? -1) / 2 + 1 }

    package init(_ program: TracedStep) {
        nodes = topologicalOrder(program.roots)
        commits = program.inPlaceCommits(nodes)
        keptTransposes = KeptTransposes(program, nodes, commits: commits)
        wanted = Set(nodes.flatMap(\.inputs) + program.roots)
        for node in nodes { entries[node] = place(node) }
        delayCheapWork(program)
        delayCommits(program)
        moveBeside(program)
    }

    /// Whether anybody wants to know a result.
    func isWanted(_ tensor: Tensor) -> Bool { wanted.contains(tensor) }

    /// The tensor whose memory this one is.
    package func base(_ tensor: Tensor) -> Tensor {
        var tensor = tensor
        while entries[tensor.node]!.mode == .alias { tensor = tensor.node.inputs[0] }
        return tensor
    }

    // MARK: - Placing one node

    private mutating func place(_ node: Node) -> Entry {
        if node.inputs.isEmpty {
            let extent = node.outputs[0].shape.first
            return Entry(
                mode: .leaf, time: -2,
                units: extent.map { Units(count: $0, isBatch: Self.holdsSamples(node)) })
        }
        if node.operation is Reshape { return placeAlias(node) }
        if keptTransposes.contains(node) { return Entry(mode: .leaf, time: -2, units: nil) }

        let specs = node.inputs.map(\.spec)
        switch node.operation.sharding(specs, node.outputs) {
        case .whole:
            return Entry(mode: .serial, time: serialTime(node), units: nil)
        case .rows(let aligned):
            return placeSharded(node, aligned, extent: node.outputs[0].shape[0], Mode.rows)
        case .reduction(let aligned):
            let extent = zip(specs, aligned).first { $0.1 }!.0.shape[0]
            var entry = placeSharded(node, aligned, extent: extent, Mode.reduction)
            entry.units = nil
            return entry
        }
    }

    /// Whether a leaf's rows are samples: an input's are, unless it is a vector of statistics.
    private static func holdsSamples(_ leaf: Node) -> Bool {
        leaf.operation is InputLeaf
            && !(leaf.outputs[0].type == .float64 && leaf.outputs[0].shape.rank == 1)
    }

    private func placeAlias(_ node: Node) -> Entry {
        let source = entries[node.inputs[0].node]!
        var units = source.units
        if let known = units {
            let extent = node.outputs[0].shape.first ?? 0
            if known.count == 0 || extent % known.count != 0 {
                units = extent == 0 ? nil : Units(count: extent, isBatch: false)
            }
        }
        return Entry(mode: .alias, time: source.time, units: units)
    }

    private mutating func placeSharded(
        _ node: Node, _ aligned: [Bool], extent: Int, _ mode: (Units) -> Mode
    ) -> Entry {
        let alignedUnits = zip(node.inputs, aligned).filter(\.1).compactMap {
            entries[$0.0.node]!.units
        }
        let units =
            alignedUnits.first { $0.isBatch && $0.count > 0 && extent % $0.count == 0 }
            ?? Units(count: extent, isBatch: false)
        let elements = (node.inputs.map(\.shape) + node.outputs.map(\.shape)).map(\.elementCount)
        if !units.isBatch, elements.reduce(0, +) <= Self.serialLimit,
            !followsRows(node, aligned, units)
        {
            return Entry(mode: .serial, time: serialTime(node), units: units)
        }
        let time = zip(node.inputs, aligned).reduce(0) { time, input in
            max(time, earliestUse(of: input.0, byRowsOf: input.1 ? units : nil))
        }
        var entry = Entry(mode: mode(units), time: time, units: units)
        if units.isBatch, units.count > 0, node.isConvolution {
            var images = zip(node.inputs, aligned).filter(\.1).map(\.0.spec)
            if entry.mode == .rows(units) { images += node.outputs }
            entry.time = timeOfLikeGrain(
                images.map { $0.byteCount / units.count }.max() ?? 0, from: time)
        }
        return entry
    }

    // MARK: - Shards that suit all of a phase

    /// How many times as many bytes a convolution of a phase may have as another: a shard that fits a
    /// cache for one is too small to work on for the other.
    private static let grainRatio = 4

    /// The first time from the given one on whose convolutions have about as many bytes a sample. Networks
    /// in which samples never meet would otherwise be one phase, with shards for their largest images.
    private mutating func timeOfLikeGrain(_ bytes: Int, from earliest: Int) -> Int {
        var time = earliest
        while let range = grains[time],
            max(range.upperBound, bytes) > Self.grainRatio * min(range.lowerBound, bytes)
        {
            time += 2
        }
        let range = grains[time] ?? bytes...bytes
        grains[time] = min(range.lowerBound, bytes)...max(range.upperBound, bytes)
        return time
    }

    /// Whether what a node reads row by row is made so too: it goes on with each shard then, however little
    /// it does.
    private func followsRows(_ node: Node, _ aligned: [Bool], _ units: Units) -> Bool {
        zip(node.inputs, aligned).contains { input, isAligned in
            isAligned && entries[base(input).node]!.mode == .rows(units)
                && entries[input.node]!.units == units
        }
    }

    /// The first main time at which work on the given units can read the tensor: at once when it is made
    /// row by row on the same units, else when all of it is there.
    private func earliestUse(of tensor: Tensor, byRowsOf units: Units?) -> Int {
        let made = entries[base(tensor).node]!
        if made.mode == .leaf || made.time < 0 { return 0 }
        if let units, made.mode == .rows(units), entries[tensor.node]!.units == units {
            return made.time
        }
        return made.time / 2 * 2 + 2
    }

    private func serialTime(_ node: Node) -> Int {
        node.inputs.reduce(-1) { time, input in
            let made = entries[base(input).node]!
            return made.mode == .leaf ? time : max(time, made.time / 2 * 2 + 1, made.time)
        }
    }

    // MARK: - Cheap work

    /// Whether an operation costs no more than reading what it would have stored.
    static func isCheap(_ operation: any Operation) -> Bool {
        operation is CentredScale || operation is ScaledGather
    }

    /// Whether a node that runs at the time of `producer`, or later, would read only rows of its own shard.
    func readsOwnRows(_ reader: Node, of producer: Node, _ units: Units) -> Bool {
        switch entries[reader]!.mode {
        case .rows(units), .reduction(units): break
        default: return false
        }
        switch reader.operation.sharding(reader.inputs.map(\.spec), reader.outputs) {
        case .rows(let flags), .reduction(let flags):
            return zip(reader.inputs, flags).allSatisfy { base($0.0).node != producer || $0.1 }
        case .whole: return false
        }
    }

    /// Elementwise work whose rows are those of the step's inputs, which are there at any time.
    private func readsLeaves(_ node: Node) -> Bool {
        guard node.elementwiseLoop != nil,
            case .rows(let aligned) = node.operation.sharding(
                node.inputs.map(\.spec), node.outputs)
        else { return false }
        return zip(node.inputs, aligned).allSatisfy { input, isAligned in
            !isAligned || entries[base(input).node]!.mode == .leaf
        }
    }

    /// Cheap work waits for its first reader, so that its result is read while in cache.
    private mutating func delayCheapWork(_ program: TracedStep) {
        let consumers = consumersByNode()
        let roots = Set(program.roots.map { base($0).node })
        for node in nodes.reversed()
        where (Self.isCheap(node.operation) || readsLeaves(node)) && !roots.contains(node) {
            guard case .rows(let units) = entries[node]!.mode, let readers = consumers[node],
                let first = readers.map({ entries[$0]!.time }).min(),
                readers.allSatisfy({
                    entries[$0]!.time > first || readsOwnRows($0, of: node, units)
                })
            else { continue }
            entries[node]!.time = max(entries[node]!.time, first)
        }
    }

    // MARK: - Beside the shards

    /// Serial work whose results nothing in the next phase's shards reads is done beside them, rather than
    /// while all other workers wait.
    private mutating func moveBeside(_ program: TracedStep) {
        let consumers = consumersByNode()
        let overwriter = overwriters(commits)
        let awaited = Set((program.outputs + program.checks.map(\.tensor)).map { base($0).node })
        let sharded = Set(
            entries.values.compactMap { entry in
                switch entry.mode {
                case .rows, .reduction: entry.time
                case .leaf, .alias, .serial: nil
                }
            })
        for node in nodes.reversed() where !awaited.contains(node) {
            let next = entries[node]!.time + 1
            guard entries[node]!.mode == .serial, next % 2 == 0, sharded.contains(next),
                readers(node, consumers).allSatisfy({ reader in
                    let entry = entries[reader]!
                    return entry.time > next || (entry.time == next && entry.mode == .serial)
                }),
                // It must not come to read a variable that has been overwritten by then.
                node.inputs.compactMap({ input in
                    let leaf = base(input).node
                    return overwriter[keptTransposes.leaves[leaf] ?? leaf]
                }).allSatisfy({ $0 == node || entries[$0]!.time > next })
            else { continue }
            entries[node]!.time = next
        }
    }

    /// Who reads a node's results, or other names of them.
    private func readers(_ node: Node, _ consumers: [Node: [Node]]) -> [Node] {
        (consumers[node] ?? []).flatMap {
            entries[$0]!.mode == .alias ? readers($0, consumers) : [$0]
        }
    }

    // MARK: - Commits

    /// Updates in place wait until every check has been made, and until nobody reads the old value.
    private mutating func delayCommits(_ program: TracedStep) {
        let targets = commits
        guard !targets.isEmpty else { return }
        let checked = program.checks.reduce(-1) { max($0, entries[base($1.tensor).node]!.time | 1) }
        let consumers = consumersByNode()
        for node in nodes where targets[node] != nil {
            var entry = entries[node]!
            var earliest = checked + 1
            for leaf in targets[node]! {
                for reader in consumers[leaf] ?? [] where reader != node {
                    earliest = max(earliest, lastUse(reader, consumers) + 1)
                }
            }
            if entry.mode == .serial {
                entry.time = max(entry.time, earliest | 1)
            } else {
                entry.time = max(entry.time, (earliest + 1) / 2 * 2)
            }
            entries[node] = entry
        }
        // What only feeds a delayed update moves to its phase, so that it is consumed while hot.
        pullForward(consumers, targets)
    }

    /// For each leaf of a variable that is overwritten, the node that does it.
    private func overwriters(_ targets: [Node: [Node]]) -> [Node: Node] {
        var result: [Node: Node] = [:]
        for (node, leaves) in targets { for leaf in leaves { result[leaf] = node } }
        return result
    }

    private func consumersByNode() -> [Node: [Node]] {
        var consumers: [Node: [Node]] = [:]
        for node in nodes {
            for input in node.inputs { consumers[input.node, default: []].append(node) }
        }
        return consumers
    }

    /// The last time at which a reader, or what is an alias or kept transpose of its input, reads.
    private func lastUse(_ reader: Node, _ consumers: [Node: [Node]]) -> Int {
        let entry = entries[reader]!
        guard entry.mode == .alias || keptTransposes.contains(reader) else { return entry.time }
        return (consumers[reader] ?? []).map { lastUse($0, consumers) }.max() ?? entry.time
    }

    private mutating func pullForward(_ consumers: [Node: [Node]], _ targets: [Node: [Node]]) {
        let overwriter = overwriters(targets)
        for node in nodes.reversed() where targets[node] == nil {
            guard case .rows(let units) = entries[node]!.mode, !units.isBatch,
                let users = consumers[node], users.count == 1, let user = users.first,
                entries[user]!.mode == .rows(units), entries[user]!.time > entries[node]!.time
            else { continue }
            // It must not come to read a variable that has been overwritten by then.
            let reads = node.inputs.compactMap { overwriter[base($0).node] }
            guard reads.allSatisfy({ $0 == user }) else { continue }
            entries[node]!.time = entries[user]!.time
        }
    }
}

extension Node {
    /// Whether this is a convolution or one of its gradients, of whole images.
    package var isConvolution: Bool {
        switch operation {
        case is Convolution, is ConvolutionInputGradient, is ConvolutionWeightGradient,
            is PackedConvolution, is SummedWeightGradient:
            true
        default: false
        }
    }
}

extension TracedStep {
    /// The nodes that overwrite variables, each with the leaves of the variables it overwrites.
    func inPlaceCommits(_ nodes: [Node]) -> [Node: [Node]] {
        let proposed = Dictionary(
            uniqueKeysWithValues: proposals.map { (ObjectIdentifier($0.variable), $0.value) })
        var result: [Node: [Node]] = [:]
        for node in nodes {
            for (output, input) in node.operation.inPlace.enumerated() {
                guard let input, input < node.inputs.count,
                    let leaf = node.inputs[input].node.operation as? VariableLeaf,
                    proposed[ObjectIdentifier(leaf.variable)] == Tensor(node: node, index: output)
                else { continue }
                result[node, default: []].append(node.inputs[input].node)
            }
        }
        return result
    }
}
