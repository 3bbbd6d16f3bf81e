import Arrays
import Graph

/// See ``ValidMoments``: in one pass what would be a dozen tiny operations.
private final class ValidMomentsKernel: Kernel {
    private let inputs, outputs: [Operand]
    private let channels: Int
    private let isUnbiased: Bool

    init(_ call: KernelCall, isUnbiased: Bool) {
        (inputs, outputs) = (call.inputs, call.outputs)
        channels = call.inputSpecs[1].shape[0]
        self.isUnbiased = isUnbiased
    }

    override func run(_ task: ShardTask) {
        func input(_ index: Int) -> UnsafeMutablePointer<Double> { inputs[index].pointer(task) }
        func output(_ index: Int) -> UnsafeMutablePointer<Double> { outputs[index].pointer(task) }
        let count = input(0)[0]
        let (mean, low, variance) = (input(1), input(2), input(3))
        let (newMean, newVariance, validity) = (output(0), output(1), output(2))
        let factor = isUnbiased ? count / max(count - 1, 1) : 1
        var counts = false
        for channel in 0..<channels {
            let sum = mean[channel] + low[channel]
            let isValid = count > 0 && sum.isFinite && variance[channel].isFinite
            newMean[channel] = isValid ? sum : 0
            newVariance[channel] = isValid ? variance[channel] * factor : 0
            validity[channel] = isValid ? 1 : 0
            counts = counts || isValid
        }
        output(3)[0] = counts ? 1 : 0
    }
}

/// See ``FollowBatch``.
private final class FollowBatchKernel: Kernel {
    private let old, found, validity, weight, result: Operand
    private let channels: Int
    private let weightStride: Int
    private let isDouble: Bool

    init?(_ call: KernelCall) {
        let type = call.inputSpecs[0].type
        guard type == .float32 || type == .float64 else { return nil }
        isDouble = type == .float64
        (old, found) = (call.inputs[0], call.inputs[1])
        (validity, weight) = (call.inputs[2], call.inputs[3])
        result = call.outputs[0]
        channels = call.inputSpecs[0].shape[0]
        weightStride = call.inputSpecs[3].shape.rank
    }

    override func run(_ task: ShardTask) {
        if isDouble {
            let old: UnsafeMutablePointer<Double> = old.pointer(task)
            let result: UnsafeMutablePointer<Double> = result.pointer(task)
            forEachChannel(task, limit: .greatestFiniteMagnitude, { old[$0] }) { channel, next in
                result[channel] = next ?? old[channel]
            }
        } else {
            let old: UnsafeMutablePointer<Float> = old.pointer(task)
            let result: UnsafeMutablePointer<Float> = result.pointer(task)
            let limit = Double(Float.greatestFiniteMagnitude)
            forEachChannel(task, limit: limit, { Double(old[$0]) }) { channel, next in
                result[channel] = next.map { Float($0) } ?? old[channel]
            }
        }
    }

    /// Gives each channel's new value, nil where the old one stays.
    @inline(__always)
    private func forEachChannel(
        _ task: ShardTask, limit: Double, _ old: (Int) -> Double, _ set: (Int, Double?) -> Void
    ) {
        let found: UnsafeMutablePointer<Double> = found.pointer(task)
        let validity: UnsafeMutablePointer<Double> = validity.pointer(task)
        let weight: UnsafeMutablePointer<Double> = weight.pointer(task)
        for channel in 0..<channels {
            let share = weight[channel * weightStride]
            let next = old(channel) * (1 - share) + found[channel] * share
            set(channel, validity[channel] != 0 ? min(max(next, -limit), limit) : nil)
        }
    }
}

extension ValidMoments: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        ValidMomentsKernel(call, isUnbiased: isUnbiased)
    }
}

extension FollowBatch: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { FollowBatchKernel(call) }
}
