import Arrays
import Graph

/// What the kernels of layer, group and instance norm know of a shard: its rows of the tensor's
/// [rows, positions, channels, inner], and where the vectors of ``GroupParts`` are.
///
/// A shard whose statistics lie in contiguous runs (channels first, or rows of features) is walked run by
/// run; any other one sample by sample, with the statistics expanded to one value per channel.
final class GroupOperands {
    let view: GroupView
    let rowsPerUnit: Int
    /// Whether the tensor is too large for the caches of the cores, as C takes it.
    let isFar: Int32
    private let mean, low, scale, shift, gamma, beta: Operand?
    /// A number per row and group of the largest shard.
    private let statisticCount: Int
    private let zeros: UnsafeMutablePointer<Double>
    private let ones: UnsafeMutablePointer<Double>
    private let means: GroupPartials
    private let parameters: UnsafeMutablePointer<Float>
    private let parameterStride: Int

    init(
        _ call: KernelCall, _ spec: TensorSpec, axis: Int, groups: Int,
        _ positions: GroupParts.Positions
    ) {
        view = GroupView(spec.shape, axis: axis, groups: groups)
        rowsPerUnit = call.rowsPerUnit(spec)
        isFar = spec.byteCount > KernelBuilder.cachedBytes ? 1 : 0
        func operand(_ position: Int?) -> Operand? { position.map { call.inputs[$0] } }
        (mean, low) = (operand(positions.mean), operand(positions.low))
        (scale, shift) = (operand(positions.scale), operand(positions.shift))
        (gamma, beta) = (operand(positions.gamma), operand(positions.beta))
        statisticCount = max(1, rowsPerUnit * max(call.unitsPerShard, 1) * groups)
        zeros = .allocate(capacity: statisticCount)
        zeros.initialize(repeating: 0, count: statisticCount)
        ones = .allocate(capacity: statisticCount)
        ones.initialize(repeating: 1, count: statisticCount)
        means = GroupPartials(groups: call.groupCount, length: low == nil ? 0 : statisticCount)
        parameterStride = (view.channels + 15) / 16 * 16 + 16
        let count = 2 * parameterStride * max(call.groupCount, 1)
        parameters = .allocate(capacity: count)
        parameters.initialize(repeating: 0, count: count)
    }

    deinit {
        zeros.deallocate()
        ones.deallocate()
        parameters.deallocate()
    }

    /// Whether every statistic belongs to one contiguous run of values.
    var hasRuns: Bool { view.positions == 1 }
    var runLength: Int { view.channelsPerGroup * view.inner }
    var hasParameters: Bool { gamma != nil || beta != nil }
    var hasShift: Bool { shift != nil }

    func rows(_ task: ShardTask) -> Int { rowsPerUnit * task.count }

    // MARK: - Per row and group

    /// The means with their low parts; zeros where there are none.
    func mean(_ task: ShardTask) -> UnsafePointer<Double> {
        guard let mean = vector(mean, task) else { return UnsafePointer(zeros) }
        guard let low = vector(low, task) else { return mean }
        let sum = means[task.group]
        for index in 0..<(rows(task) * view.groups) { sum[index] = mean[index] + low[index] }
        return UnsafePointer(sum)
    }

    func scale(_ task: ShardTask) -> UnsafePointer<Double> {
        vector(scale, task) ?? UnsafePointer(ones)
    }

    func shift(_ task: ShardTask) -> UnsafePointer<Double> {
        vector(shift, task) ?? UnsafePointer(zeros)
    }

    // MARK: - Per channel

    func gamma(_ task: ShardTask) -> UnsafePointer<Double>? { vector(gamma, task) }
    func beta(_ task: ShardTask) -> UnsafePointer<Double>? { vector(beta, task) }

    /// gamma and beta as the kernels of rows take them.
    func narrowParameters(_ task: ShardTask) -> (
        gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?
    ) {
        let memory = parameters + 2 * parameterStride * task.group
        func narrow(_ values: UnsafePointer<Double>?, _ target: UnsafeMutablePointer<Float>)
            -> UnsafePointer<Float>?
        {
            guard let values else { return nil }
            if task.opensGroup {
                for channel in 0..<view.channels { target[channel] = Float(values[channel]) }
            }
            return UnsafePointer(target)
        }
        return (narrow(gamma(task), memory), narrow(beta(task), memory + parameterStride))
    }

    /// Copies one value per group of a row to each of its channels.
    func expand(
        _ values: UnsafePointer<Double>, row: Int, to channels: UnsafeMutablePointer<Double>
    ) {
        let (groups, size) = (view.groups, view.channelsPerGroup)
        let values = values + row * groups
        if size == 1 {
            channels.update(from: values, count: groups)
            return
        }
        var next = channels
        for group in 0..<groups {
            let value = values[group]
            for channel in 0..<size { next[channel] = value }
            next += size
        }
    }

    private func vector(_ operand: Operand?, _ task: ShardTask) -> UnsafePointer<Double>? {
        operand.map { UnsafePointer($0.pointer(task, as: Double.self)) }
    }
}
