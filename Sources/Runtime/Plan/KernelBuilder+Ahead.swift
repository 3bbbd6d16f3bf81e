import Arrays
import Graph

extension KernelBuilder {
    /// What earlier phases stored and kernels will read after a weight gradient, up to the next one: in the same
    /// shard what has not been read since the one before, then in the next shard. The last to be read comes first.
    func ahead(of node: Node, in nodes: [Node], _ units: Schedule.Units)
        -> [WeightGradientKernel.Ahead]
    {
        let place = nodes.firstIndex(of: node)!
        let isGradient = { (node: Node) in node.operation is SummedWeightGradient }
        let before = nodes[..<place].lastIndex(where: isGradient) ?? 0
        let after = nodes[(place + 1)...]
        let following = after.firstIndex(where: isGradient)
        let rest = after[..<(following.map { $0 + 1 } ?? nodes.count)]
        var result = stored(rest, units, besides: nodes[before...place]).map {
            WeightGradientKernel.Ahead(operand: $0, isInNextShard: false)
        }
        if following == nil {
            let first = nodes.firstIndex(where: isGradient)!
            result += stored(nodes[...first], units, besides: []).map {
                WeightGradientKernel.Ahead(operand: $0, isInNextShard: true)
            }
        }
        return result.reversed()
    }

    /// What the nodes read of their shard that an earlier phase stored, each tensor once, without what others read.
    private func stored(
        _ nodes: ArraySlice<Node>, _ units: Schedule.Units, besides others: ArraySlice<Node>
    ) -> [Operand] {
        var seen = Set(others.flatMap(\.inputs).map(schedule.base))
        var result: [Operand] = []
        for node in nodes {
            for tensor in node.inputs {
                let base = schedule.base(tensor)
                guard case .arena? = homes[base], tensor.shape.rank > 1,
                    tensor.shape[0] % max(units.count, 1) == 0,
                    schedule[base.node].time / 2 < schedule[node].time / 2,
                    seen.insert(base).inserted
                else { continue }
                result.append(operand(tensor, units: units))
            }
        }
        return result
    }
}
