import Arrays
import CKernels
import Graph

/// The kernels of batch norm over float32 and bfloat16: thin calls of the SIMD loops.
///
/// Each knows the shard's view of its tensor, [outer, channels, inner], where the sample axis is part of
/// `outer`.
struct ShardView {
    let outerPerUnit: Int
    let channels: Int
    let inner: Int

    init(_ call: KernelCall, _ spec: TensorSpec, axis: Int) {
        let view = ChannelView(spec.shape, axis: axis)
        outerPerUnit = call.units.map { $0.count > 0 ? view.outer / $0.count : 0 } ?? view.outer
        channels = view.channels
        inner = view.inner
    }
}

/// The per-channel vectors and the residual that follow an operation's leading inputs.
struct CentredOperands {
    private let mean, low, scale, shift, residual: Operand?
    private let channels: Int
    /// For each group, the mean with its low part; zeros where there is no mean.
    private let means: GroupPartials

    init(_ call: KernelCall, _ positions: CentredParts.Positions, channels: Int) {
        self.channels = channels
        means = GroupPartials(groups: call.groupCount, length: channels)
        mean = positions.mean.map { call.inputs[$0] }
        low = positions.low.map { call.inputs[$0] }
        scale = positions.scale.map { call.inputs[$0] }
        shift = positions.shift.map { call.inputs[$0] }
        residual = positions.residual.map { call.inputs[$0] }
    }

    func mean(_ task: ShardTask) -> UnsafePointer<Double> {
        let result = means[task.group]
        if task.opensGroup, let mean = vector(mean, task) {
            if let low = vector(low, task) {
                for channel in 0..<channels { result[channel] = mean[channel] + low[channel] }
            } else {
                result.update(from: mean, count: channels)
            }
        }
        return UnsafePointer(result)
    }
    func scale(_ task: ShardTask) -> UnsafePointer<Double>? { vector(scale, task) }
    func shift(_ task: ShardTask) -> UnsafePointer<Double>? { vector(shift, task) }

    func residual<T>(_ task: ShardTask) -> UnsafePointer<T>? {
        residual.map { UnsafePointer($0.pointer(task, as: T.self)) }
    }

    private func vector(_ operand: Operand?, _ task: ShardTask) -> UnsafePointer<Double>? {
        operand.map { UnsafePointer($0.pointer(task, as: Double.self)) }
    }
}

extension FusedActivation {
    /// The activation as the C kernels number it, and its slope.
    var code: (kind: Int32, slope: Float) {
        switch self {
        case .identity: (EK_IDENTITY, 0)
        case .leakyReLU(slope: 0): (EK_RELU, 0)
        case .leakyReLU(let slope): (EK_LEAKY_RELU, Float(slope))
        case .relu6: (EK_RELU6, 0)
        }
    }
}

/// Memory for each group's partial result, apart from other groups' by whole cache lines.
final class GroupPartials {
    let groupCount: Int
    let length: Int
    private let stride: Int
    private let memory: UnsafeMutablePointer<Double>

    init(groups: Int, length: Int) {
        groupCount = groups
        self.length = length
        stride = (length + 7) / 8 * 8 + 8
        let count = stride * max(groups, 1)
        memory = .allocate(capacity: count)
        memory.initialize(repeating: 0, count: count)
    }

    deinit { memory.deallocate() }

    subscript(group: Int) -> UnsafeMutablePointer<Double> { memory + group * stride }

    /// The group's memory, cleared when its first shard runs.
    func opened(_ task: ShardTask) -> UnsafeMutablePointer<Double> {
        let partial = self[task.group]
        if task.opensGroup { partial.update(repeating: 0, count: length) }
        return partial
    }

    /// Adds all groups into the first, in the fixed tree.
    func addInTree() {
        mergeInTree(groupCount) { into, from in
            let (a, b) = (self[into], self[from])
            for index in 0..<length { a[index] += b[index] }
        }
    }
}

final class MomentsKernel: Kernel {
    private let x: Operand
    private let weights: Operand?
    private let outputs: [Operand]
    private let view: ShardView
    private let isBFloat16: Bool
    private let partials: GroupPartials

    init?(_ call: KernelCall, _ operation: Moments) {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32 || (spec.type == .bfloat16 && !operation.isWeighted) else {
            return nil
        }
        x = call.inputs[0]
        weights = operation.isWeighted ? call.inputs[1] : nil
        outputs = call.outputs
        view = ShardView(call, spec, axis: operation.axis)
        isBFloat16 = spec.type == .bfloat16
        partials = GroupPartials(groups: call.groupCount, length: 1 + 2 * view.channels)
    }

    override func run(_ task: ShardTask) {
        let state = partials.opened(task)
        let outer = view.outerPerUnit * task.count
        if isBFloat16 {
            ek_moments_bf16(x.pointer(task), nil, outer, view.channels, view.inner, state)
        } else {
            ek_moments_f32(
                x.pointer(task), weights.map { UnsafePointer($0.pointer(task, as: Float.self)) },
                outer,
                view.channels, view.inner, state)
        }
    }

    /// Chan, Golub and LeVeque's merge, in double, in the fixed tree.
    override func finish(_ task: ShardTask) {
        let channels = view.channels
        mergeInTree(partials.groupCount) { into, from in
            let (a, b) = (partials[into], partials[from])
            let count = a[0] + b[0]
            guard b[0] > 0 else { return }
            let share = b[0] / count
            let weight = a[0] * share
            for channel in 1...channels {
                let delta = b[channel] - a[channel]
                a[channel] += delta * share
                a[channels + channel] += b[channels + channel] + delta * delta * weight
            }
            a[0] = count
        }
        let state = partials[0]
        let count = partials.groupCount > 0 ? state[0] : 0
        outputs[0].pointer(task, as: Double.self).pointee = count
        let mean: UnsafeMutablePointer<Double> = outputs[1].pointer(task)
        let low: UnsafeMutablePointer<Double> = outputs[2].pointer(task)
        let variance: UnsafeMutablePointer<Double> = outputs[3].pointer(task)
        for channel in 0..<channels {
            mean[channel] = count > 0 ? state[1 + channel] : 0
            low[channel] = 0
            variance[channel] = count > 0 ? state[1 + channels + channel] / count : 0
        }
    }
}

final class CentredScaleKernel: Kernel {
    private let x, y: Operand
    private let parts: CentredOperands
    private let view: ShardView
    private let activation: (kind: Int32, slope: Float)
    private let isBFloat16: Bool
    private let stream: Int32
    private let fallback: ReferenceRowsKernel

    init?(_ call: KernelCall, _ operation: CentredScale) {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32 || spec.type == .bfloat16 else { return nil }
        x = call.inputs[0]
        y = call.outputs[0]
        view = ShardView(call, spec, axis: operation.axis)
        parts = CentredOperands(call, operation.parts.positions(after: 1), channels: view.channels)
        activation = operation.activation.code
        isBFloat16 = spec.type == .bfloat16
        stream = call.streams ? 1 : 0
        fallback = ReferenceRowsKernel(fallbackFor: call)
    }

    override func run(_ task: ShardTask) {
        if let scale = parts.scale(task),
            ReferenceRowsKernel.isExtreme(scale, count: view.channels)
        {
            fallback.run(task)
            return
        }
        let outer = view.outerPerUnit * task.count
        let mean = parts.mean(task)
        if isBFloat16 {
            ek_centred_scale_bf16(
                x.pointer(task), outer, view.channels, view.inner, mean, parts.scale(task),
                parts.shift(task), parts.residual(task), activation.kind, activation.slope,
                y.pointer(task), stream)
        } else {
            ek_centred_scale_f32(
                x.pointer(task), outer, view.channels, view.inner, mean, parts.scale(task),
                parts.shift(task), parts.residual(task), activation.kind, activation.slope,
                y.pointer(task), stream)
        }
    }
}

/// The two sums of a gradient per channel: each group's part, and how they become the results.
final class CentredTotals {
    let x: Operand
    let parts: CentredOperands
    let view: ShardView
    let partials: GroupPartials
    private let outputs: [Operand]

    init(_ call: KernelCall, _ operation: CentredSums) {
        x = call.inputs[1]
        outputs = call.outputs
        view = ShardView(call, call.inputSpecs[1], axis: operation.axis)
        parts = CentredOperands(call, operation.parts.positions(after: 2), channels: view.channels)
        partials = GroupPartials(groups: call.groupCount, length: 2 * view.channels)
    }

    func finish(_ task: ShardTask) {
        partials.addInTree()
        for (index, output) in outputs.enumerated() {
            output.pointer(task, as: Double.self).update(
                from: partials[0] + index * view.channels, count: view.channels)
        }
    }
}

/// The two sums of a gradient; joined with the normalization of the same tensor, its output in the same pass.
final class CentredSumsKernel: Kernel {
    private let dy: Operand
    private let normalized: Operand?
    private let fallback: ReferenceRowsKernel?
    private let totals: CentredTotals
    private let activation: (kind: Int32, slope: Float)
    private let isBFloat16: Bool
    private let stream: Int32

    init?(_ call: KernelCall, _ operation: CentredSums, joining normalization: KernelCall? = nil) {
        let spec = call.inputSpecs[1]
        guard spec.type == .float32 || spec.type == .bfloat16 else { return nil }
        normalized = normalization?.outputs[0]
        stream = normalization?.streams == true ? 1 : 0
        fallback = normalization.map { ReferenceRowsKernel(fallbackFor: $0) }
        dy = call.inputs[0]
        totals = CentredTotals(call, operation)
        activation = operation.activation.code
        isBFloat16 = spec.type == .bfloat16
    }

    override func run(_ task: ShardTask) {
        let (x, view, parts) = (totals.x, totals.view, totals.parts)
        var output = normalized
        if let fallback, let scale = parts.scale(task),
            ReferenceRowsKernel.isExtreme(scale, count: view.channels)
        {
            fallback.run(task)
            output = nil
        }
        let outer = view.outerPerUnit * task.count
        let mean = parts.mean(task)
        let sums = totals.partials.opened(task)
        if isBFloat16 {
            ek_centred_sums_bf16(
                dy.pointer(task), x.pointer(task), outer, view.channels, view.inner, mean,
                parts.scale(task), parts.shift(task), parts.residual(task), activation.kind,
                activation.slope, output?.pointer(task), stream, sums)
        } else {
            ek_centred_sums_f32(
                dy.pointer(task), x.pointer(task), outer, view.channels, view.inner, mean,
                parts.scale(task), parts.shift(task), parts.residual(task), activation.kind,
                activation.slope, output?.pointer(task), stream, sums)
        }
    }

    override func finish(_ task: ShardTask) { totals.finish(task) }
}

final class CentredInputGradientKernel: Kernel {
    private let dy, x, a, b, c, dx: Operand
    private let inner: Operand?
    private let parts: CentredOperands
    private let view: ShardView
    private let activation: (kind: Int32, slope: Float)
    private let isBFloat16: Bool
    private let far: Int32
    private let fallback: ReferenceRowsKernel

    init?(_ call: KernelCall, _ operation: CentredInputGradient) {
        let spec = call.inputSpecs[1]
        guard spec.type == .float32 || spec.type == .bfloat16, operation.parts.hasMean else {
            return nil
        }
        (dy, x) = (call.inputs[0], call.inputs[1])
        (a, b, c) = (call.inputs[2], call.inputs[3], call.inputs[4])
        dx = call.outputs[0]
        inner = call.outputs.count > 1 ? call.outputs[1] : nil
        view = ShardView(call, spec, axis: operation.axis)
        parts = CentredOperands(call, operation.parts.positions(after: 5), channels: view.channels)
        activation = operation.activation.code
        isBFloat16 = spec.type == .bfloat16
        far = call.streams ? EK_PAST_CACHES : 0
        fallback = ReferenceRowsKernel(fallbackFor: call)
    }

    override func run(_ task: ShardTask) {
        // The loops for float32 look at the factors of dx themselves; an activation has others.
        if isBFloat16 || activation.kind != EK_IDENTITY,
            ReferenceRowsKernel.isExtreme(b.pointer(task), count: view.channels)
        {
            fallback.run(task)
            return
        }
        let outer = view.outerPerUnit * task.count
        if isBFloat16 {
            ek_centred_input_gradient_bf16(
                dy.pointer(task), x.pointer(task), outer, view.channels, view.inner,
                parts.mean(task),
                a.pointer(task), b.pointer(task), c.pointer(task), parts.scale(task),
                parts.shift(task),
                parts.residual(task), activation.kind, activation.slope, dx.pointer(task),
                inner?.pointer(task), far)
        } else {
            ek_centred_input_gradient_f32(
                dy.pointer(task), x.pointer(task), outer, view.channels, view.inner,
                parts.mean(task),
                a.pointer(task), b.pointer(task), c.pointer(task), parts.scale(task),
                parts.shift(task),
                parts.residual(task), activation.kind, activation.slope, dx.pointer(task),
                inner?.pointer(task), far)
        }
    }
}

extension Moments: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { MomentsKernel(call, self) }
}
extension CentredScale: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { CentredScaleKernel(call, self) }
}
extension CentredSums: JoiningOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        CentredSumsKernel(call, self)
    }

    /// A kernel that also does what a normalization is called for.
    func kernel(_ call: KernelCall, joining normalization: KernelCall) -> Kernel? {
        CentredSumsKernel(call, self, joining: normalization)
    }
}
extension CentredInputGradient: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        CentredInputGradientKernel(call, self)
    }
}
