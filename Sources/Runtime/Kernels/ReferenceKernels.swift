import Arrays
import Graph

/// The general kernel: computes a shard with the operation's reference implementation in Double. For
/// whatever has no kernel of its own; it allocates, and is slow.
package final class ReferenceRowsKernel: Kernel {
    private let call: KernelCall
    private let aligned: [Bool]

    init(_ call: KernelCall, aligned: [Bool]) {
        self.call = call
        self.aligned = aligned
    }

    override func run(_ task: ShardTask) {
        let results = call.node.operation.reference(call.shardValues(task, aligned: aligned))
        for (index, spec) in call.outputSpecs.enumerated() {
            let array = results[index].array(spec.type)
            let byteCount = call.byteCount(spec, task)
            // An operation that makes independent rows from whole inputs has made all of them.
            let skip = array.byteCount == byteCount ? 0 : task.start * call.elementsPerUnit(spec)
            array.withUnsafeBytes { bytes in
                call.outputs[index].address(task).copyMemory(
                    from: bytes.baseAddress! + skip * spec.type.byteCount, byteCount: byteCount)
            }
        }
    }
}

extension ReferenceRowsKernel {
    /// What takes over from a float32 kernel where a factor per channel leaves float32's range, as in the
    /// gradients of inputs around 1e30.
    convenience init(fallbackFor call: KernelCall) {
        guard
            case .rows(let aligned) = call.node.operation.sharding(
                call.inputSpecs, call.outputSpecs)
        else { preconditionFailure("\(call.node.operation.name) is not work per row") }
        self.init(call, aligned: aligned)
    }

    /// Whether a factor is far from what float32 holds without loss.
    static func isExtreme(_ factors: UnsafePointer<Double>, count: Int) -> Bool {
        for index in 0..<count {
            let size = abs(factors[index])
            if size > 0x1p100 || (size < 0x1p-100 && size > 0) { return true }
        }
        return false
    }
}

/// The general kernel of reductions: reference results per shard, merged by the operation's own rule.
package final class ReferenceReductionKernel: Kernel {
    private let call: KernelCall
    private let aligned: [Bool]
    private let partials: UnsafeMutablePointer<[Values<Double>]>

    init(_ call: KernelCall, aligned: [Bool]) {
        self.call = call
        self.aligned = aligned
        partials = .allocate(capacity: call.groupCount)
        partials.initialize(repeating: [], count: call.groupCount)
    }

    deinit {
        partials.deinitialize(count: call.groupCount)
        partials.deallocate()
    }

    override func run(_ task: ShardTask) {
        let result = call.node.operation.reference(call.shardValues(task, aligned: aligned))
        partials[task.group] =
            task.opensGroup ? result : call.node.operation.merge(partials[task.group], result)
    }

    override func finish(_ task: ShardTask) {
        mergeInTree(call.groupCount) { into, from in
            partials[into] = call.node.operation.merge(partials[into], partials[from])
        }
        let results =
            call.groupCount > 0
            ? partials[0] : call.node.operation.reference(call.shardValues(task, aligned: aligned))
        for (index, spec) in call.outputSpecs.enumerated() {
            results[index].array(spec.type).withUnsafeBytes { bytes in
                call.outputs[index].address(task).copyMemory(
                    from: bytes.baseAddress!, byteCount: spec.byteCount)
            }
        }
    }
}

extension KernelCall {
    func byteCount(_ spec: TensorSpec, _ task: ShardTask) -> Int {
        units == nil ? spec.byteCount : elementsPerUnit(spec) * task.count * spec.type.byteCount
    }

    /// The shard's part of aligned inputs, and all of the others.
    fileprivate func shardValues(_ task: ShardTask, aligned: [Bool]) -> [Values<Double>] {
        zip(zip(inputs, inputSpecs), aligned).map { input, isAligned in
            let (operand, spec) = input
            var shape = spec.shape
            if isAligned, units != nil { shape[0] = rowsPerUnit(spec) * task.count }
            let storage = Storage(
                pointer: operand.address(task), byteCount: shape.elementCount * spec.type.byteCount,
                owner: node)
            return Values(NDArray(storage: storage, shape: shape, elementType: spec.type))
        }
    }
}
