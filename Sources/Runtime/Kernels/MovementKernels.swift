import Arrays
import CKernels
import Graph

/// Copies elements between two strided arrays: transposes, slices, paddings, concatenations, repetitions.
///
/// The innermost axis runs in a loop of its own; where both sides are contiguous it is a block copy.
struct StridedCopy {
    /// Extents, and for each axis how many elements source and target advance.
    private let extents: [Int]
    private let from: [Int]
    private let to: [Int]
    private let width: Int

    init(_ shape: [Int], from: [Int], to: [Int], elementBytes: Int) {
        // Axes of extent 1 vanish; neighbours that run on in both arrays become one.
        var axes: [(extent: Int, from: Int, to: Int)] = []
        for axis in shape.indices where shape[axis] != 1 {
            let next = (shape[axis], from[axis], to[axis])
            if let last = axes.last, last.from == next.1 * next.0, last.to == next.2 * next.0 {
                axes[axes.count - 1] = (last.extent * next.0, next.1, next.2)
            } else {
                axes.append(next)
            }
        }
        extents = axes.map(\.extent)
        self.from = axes.map { $0.from * elementBytes }
        self.to = axes.map { $0.to * elementBytes }
        width = elementBytes
    }

    func run(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        copy(0, source, target)
    }

    private func copy(_ axis: Int, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        guard axis < extents.count else {
            target.copyMemory(from: source, byteCount: width)
            return
        }
        let (extent, stepFrom, stepTo) = (extents[axis], from[axis], to[axis])
        guard axis == extents.count - 1 else {
            for index in 0..<extent {
                copy(axis + 1, source + index * stepFrom, target + index * stepTo)
            }
            return
        }
        if stepFrom == width, stepTo == width {
            target.copyMemory(from: source, byteCount: extent * width)
            return
        }
        func move<T: BitwiseCopyable>(_: T.Type) {
            for index in 0..<extent {
                let value = source.load(fromByteOffset: index * stepFrom, as: T.self)
                target.storeBytes(of: value, toByteOffset: index * stepTo, as: T.self)
            }
        }
        switch width {
        case 1: move(UInt8.self)
        case 2: move(UInt16.self)
        case 4: move(UInt32.self)
        default: move(UInt64.self)
        }
    }
}

/// Moves the parts of its inputs to their places in the output, unit by unit.
final class MovementKernel: Kernel {
    /// One input's part: what is copied for each unit, and where from and to, in bytes.
    struct Part {
        let input: Operand
        let copy: StridedCopy
        let sourceOffset: Int
        let targetOffset: Int
        let sourceBytesPerUnit: Int
        /// Whether the operand's address is that of all units, not of the shard's first.
        var seesAllUnits = false
    }

    private let parts: [Part]
    private let y: Operand
    private let targetBytesPerUnit: Int
    private let clearsFirst: Bool

    init(_ call: KernelCall, parts: [Part], clearsFirst: Bool) {
        self.parts = parts
        y = call.outputs[0]
        targetBytesPerUnit =
            call.elementsPerUnit(call.outputSpecs[0]) * call.outputSpecs[0].type.byteCount
        self.clearsFirst = clearsFirst
    }

    override func run(_ task: ShardTask) {
        let target = y.address(task)
        if clearsFirst {
            target.initializeMemory(
                as: UInt8.self, repeating: 0, count: targetBytesPerUnit * task.count)
        }
        for part in parts {
            let first = part.seesAllUnits ? task.start * part.sourceBytesPerUnit : 0
            let source = part.input.address(task) + first
            for unit in 0..<task.count {
                part.copy.run(
                    source + (part.sourceOffset + unit * part.sourceBytesPerUnit),
                    target + (part.targetOffset + unit * targetBytesPerUnit))
            }
        }
    }
}

extension KernelCall {
    /// A shape with its leading extent cut down to one unit's.
    fileprivate func unitShape(_ shape: Shape) -> [Int] {
        var result = shape.dimensions
        if let units, units.count > 0, !result.isEmpty { result[0] /= units.count }
        return result
    }

    fileprivate func part(
        input: Int, _ shape: [Int], from: [Int], to: [Int], sourceOffset: Int = 0,
        targetOffset: Int = 0
    ) -> MovementKernel.Part {
        let bytes = outputSpecs[0].type.byteCount
        return MovementKernel.Part(
            input: inputs[input],
            copy: StridedCopy(shape, from: from, to: to, elementBytes: bytes),
            sourceOffset: sourceOffset * bytes, targetOffset: targetOffset * bytes,
            sourceBytesPerUnit: inputs[input].unitBytes > 0 || inputs[input].isScratch
                ? elementsPerUnit(inputSpecs[input]) * bytes : 0)
    }
}

/// The transpose of a matrix, split by rows of the result.
final class TransposeKernel: Kernel {
    private let x, y: Operand
    private let rows, columns, columnsPerUnit: Int

    init(_ call: KernelCall) {
        (x, y) = (call.inputs[0], call.outputs[0])
        rows = call.inputSpecs[0].shape[0]
        let columns = call.inputSpecs[0].shape[1]
        self.columns = columns
        columnsPerUnit = call.units.map { $0.count > 0 ? columns / $0.count : 0 } ?? columns
    }

    override func run(_ task: ShardTask) {
        let first = x.pointer(task, as: Float.self) + task.start * columnsPerUnit
        ek_transpose_f32(first, rows, columnsPerUnit * task.count, columns, y.pointer(task), rows)
    }
}

extension Transpose: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        if permutation == [1, 0], call.outputSpecs[0].type == .float32 {
            return TransposeKernel(call)
        }
        let source = call.inputSpecs[0].shape
        let shape = call.unitShape(call.outputSpecs[0].shape)
        let strides = permutation.map { source.strides[$0] }
        var part = call.part(input: 0, shape, from: strides, to: call.outputSpecs[0].shape.strides)
        if permutation.first != 0, call.units != nil {
            part = MovementKernel.Part(
                input: part.input, copy: part.copy, sourceOffset: 0, targetOffset: 0,
                sourceBytesPerUnit: shape[0] * strides[0] * call.outputSpecs[0].type.byteCount,
                seesAllUnits: true)
        }
        return MovementKernel(call, parts: [part], clearsFirst: false)
    }
}

extension Crop: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let strides = call.inputSpecs[0].shape.strides
        let offset = zip(ranges, strides).reduce(0) { $0 + ($1.0?.lowerBound ?? 0) * $1.1 }
        let part = call.part(
            input: 0, call.unitShape(call.outputSpecs[0].shape), from: strides,
            to: call.outputSpecs[0].shape.strides, sourceOffset: offset)
        return MovementKernel(call, parts: [part], clearsFirst: false)
    }
}

extension Pad: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let strides = call.outputSpecs[0].shape.strides
        let offset = zip(before, strides).reduce(0) { $0 + $1.0 * $1.1 }
        let part = call.part(
            input: 0, call.unitShape(call.inputSpecs[0].shape),
            from: call.inputSpecs[0].shape.strides,
            to: strides, targetOffset: offset)
        return MovementKernel(call, parts: [part], clearsFirst: true)
    }
}

extension Concatenate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let strides = call.outputSpecs[0].shape.strides
        var offset = 0
        let parts = call.inputSpecs.enumerated().map { index, spec in
            defer { offset += spec.shape[axis] * strides[axis] }
            return call.part(
                input: index, call.unitShape(spec.shape), from: spec.shape.strides, to: strides,
                targetOffset: offset)
        }
        return MovementKernel(call, parts: parts, clearsFirst: false)
    }
}

extension Broadcast: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let source = call.inputSpecs[0].shape
        let target = call.outputSpecs[0].shape
        var strides = [Int](repeating: 0, count: target.rank)
        for axis in 0..<source.rank where source[axis] != 1 {
            strides[target.rank - source.rank + axis] = source.strides[axis]
        }
        let part = call.part(
            input: 0, call.unitShape(target), from: strides, to: target.strides)
        return MovementKernel(call, parts: [part], clearsFirst: false)
    }
}

/// `condition ? a : b` where each operand is in a simple layout.
final class SelectKernel<T>: Kernel {
    /// Chooses `count` elements; made where the type is known, so that the loop is one of numbers.
    typealias Body = (
        _ condition: UnsafePointer<Bool>, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>,
        _ y: UnsafeMutablePointer<T>, _ count: Int
    ) -> Void

    private let condition, a, b, y: Operand
    private let elementsPerUnit: Int
    private let body: Body

    init(_ call: KernelCall, _ body: @escaping Body) {
        (condition, a, b) = (call.inputs[0], call.inputs[1], call.inputs[2])
        y = call.outputs[0]
        elementsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
        self.body = body
    }

    override func run(_ task: ShardTask) {
        body(
            condition.pointer(task), a.pointer(task), b.pointer(task), y.pointer(task),
            elementsPerUnit * task.count)
    }
}

extension Select: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let result = call.outputSpecs[0].shape
        let layouts = call.inputSpecs.compactMap { BroadcastLayout($0.shape, in: result) }
        guard layouts.count == 3 else { return nil }
        let all = (layouts[0], layouts[1], layouts[2])
        return switch call.outputSpecs[0].type {
        case .float32: SelectKernel<Float>(call) { choose($0, $1, $2, $3, $4, all) }
        case .float64: SelectKernel<Double>(call) { choose($0, $1, $2, $3, $4, all) }
        case .int32: SelectKernel<Int32>(call) { choose($0, $1, $2, $3, $4, all) }
        default: nil
        }
    }
}

@inline(__always)
private func choose<T>(
    _ condition: UnsafePointer<Bool>, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>,
    _ y: UnsafeMutablePointer<T>, _ count: Int,
    _ layouts: (condition: BroadcastLayout, a: BroadcastLayout, b: BroadcastLayout)
) {
    switch layouts {
    case (.same, .same, .same):
        for i in 0..<count { y[i] = condition[i] ? a[i] : b[i] }
    case (.same, .scalar, .same):
        let value = a[0]
        for i in 0..<count { y[i] = condition[i] ? value : b[i] }
    case (.same, .same, .scalar):
        let value = b[0]
        for i in 0..<count { y[i] = condition[i] ? a[i] : value }
    default:
        for i in 0..<count {
            y[i] =
                condition[layouts.condition.index(i)]
                ? a[layouts.a.index(i)] : b[layouts.b.index(i)]
        }
    }
}
