import Arrays
import Graph

/// How many units make a shard. It follows from shapes alone.
struct ShardSize {
    /// Bytes of a shard's largest tensor where arithmetic on blocks of it takes the time: such that a phase's
    /// working set still stays in a core's L2, which may be no larger than that.
    static let shardBytes = 1 << 19
    /// Bytes of all that a shard reads and writes where that is all it does. They are not needed all at once.
    static let passBytes = 5 << 17
    /// Below this a shard is not worth its overhead.
    static let smallestShardBytes = 1 << 10

    private let schedule: Schedule

    init(_ schedule: Schedule) { self.schedule = schedule }

    /// So many that a shard's bytes are as above, in at least eight shards where they are not too small to be
    /// worth it.
    func unitsPerShard(_ units: Schedule.Units, _ nodes: [Node]) -> Int {
        for case let rows as RowConvolution in nodes.map(\.operation) { return rows.rowsPerShard }
        let tensors = workingSet(nodes).map(\.spec).filter {
            units.count > 0 && ($0.shape.first ?? 0) % units.count == 0
        }
        let sizes = tensors.map { $0.byteCount / units.count }
        let largest = sizes.max() ?? 1
        let (bytes, limit) =
            nodes.contains(where: isArithmetic)
            ? (largest, Self.shardBytes) : (sizes.reduce(0, +), Self.passBytes)
        let groups = ExecutableSegment.maximalGroupCount
        var shards = groups
        while shards > 1,
            (units.count + shards - 1) / shards * largest < Self.smallestShardBytes
        {
            shards /= 2
        }
        // Each shard adds its part of a weight's gradient to a sum: images are to weigh as much as that.
        let gradients = nodes.filter { $0.operation is SummedWeightGradient }
            .map { $0.outputs[0].byteCount }
        var most = max(1, max(limit, gradients.max() ?? 0) / max(bytes, 1))
        // bfloat16 is computed with so fast that what a shard's other tensors push out of L2 is missed.
        if most > 2,
            tensors.contains(where: {
                $0.type == .bfloat16 && $0.byteCount / units.count == largest
            })
        {
            most = (most + 1) / 2
        }
        if units.count > shards * most {
            // As many in each group.
            shards = ((units.count + most - 1) / most + groups - 1) / groups * groups
        }
        return max(1, (units.count + shards - 1) / shards)
    }

    /// Whether an operation reads its shard more than once, block by block.
    private func isArithmetic(_ node: Node) -> Bool {
        node.isConvolution
            || (node.operation is MatrixProduct && node.outputs[0].shape.last != 1)
    }

    /// What is read and written shard by shard, without what passes from one elementwise operation to the
    /// next.
    private func workingSet(_ nodes: [Node]) -> Set<Tensor> {
        let inside = Set(nodes)
        var result: Set<Tensor> = []
        for node in nodes {
            let aligned: [Bool]
            var outputs: [Tensor] = []
            switch node.operation.sharding(node.inputs.map(\.spec), node.outputs) {
            case .rows(let flags): (aligned, outputs) = (flags, node.tensors)
            case .reduction(let flags): aligned = flags
            case .whole: continue
            }
            let isElementwise = node.elementwiseLoop != nil
            for (input, isAligned) in zip(node.inputs, aligned) where isAligned {
                let tensor = schedule.base(input)
                let isPassed =
                    isElementwise && inside.contains(tensor.node)
                    && tensor.node.elementwiseLoop != nil
                if !isPassed { result.insert(tensor) }
            }
            if !isElementwise { result.formUnion(outputs) }
        }
        let read = Set(nodes.flatMap { $0.inputs.map { schedule.base($0).node } })
        for node in nodes where node.elementwiseLoop != nil && !read.contains(node) {
            result.insert(node.tensor)
        }
        return result
    }
}
