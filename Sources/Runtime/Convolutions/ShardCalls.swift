import COneDNN

/// A primitive for the shards of a kernel: one for full shards and one for the last, shorter one, with
/// arguments of their own for each group, since groups run side by side.
struct ShardCalls {
    private let full: [OneDNNCall]
    private let last: [OneDNNCall]
    private let unitsPerShard: Int
    let scratchpadBytes: Int

    /// Nil where a primitive cannot be made.
    ///
    /// - Parameters:
    ///   - samples: how many samples a unit is; for serial work, how many there are.
    ///   - primitive: makes the primitive for a number of samples.
    ///   - arguments: the roles and layouts of its arguments, for that number.
    init?(
        _ call: KernelCall, samples: Int, primitive: (Int) -> OneDNNPrimitive?,
        arguments: (Int) -> [(role: CInt, layout: dnnl_memory_desc_t)]
    ) {
        let units = call.units?.count ?? 1
        unitsPerShard = call.units == nil ? 1 : call.unitsPerShard
        var scratchpad = 0
        func calls(_ units: Int) -> [OneDNNCall]? {
            let count = units * samples
            guard count > 0 else { return [] }
            guard let primitive = primitive(count) else { return nil }
            scratchpad = max(scratchpad, primitive.scratchpadBytes)
            return (0..<max(call.groupCount, 1)).map { _ in
                OneDNNCall(primitive, arguments(count))
            }
        }
        guard let full = calls(min(unitsPerShard, units)), let last = calls(units % unitsPerShard)
        else { return nil }
        self.full = full
        self.last = last
        scratchpadBytes = scratchpad
    }

    /// Says once and for all where an argument lies.
    func bind(_ index: Int, _ address: UnsafeMutableRawPointer) {
        for call in full + last { call.bind(index, address) }
    }

    /// What runs the task's shard; nil when it is empty.
    @inline(__always)
    subscript(task: ShardTask) -> OneDNNCall? {
        let calls = task.count == unitsPerShard || last.isEmpty ? full : last
        return calls.isEmpty ? nil : calls[task.group]
    }
}
