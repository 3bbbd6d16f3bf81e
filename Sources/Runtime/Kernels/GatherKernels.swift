import Arrays
import CKernels
import Graph

/// Rows of a table by index. An index outside the table gives a row that is marked, never a bad read.
final class GatherKernel: Kernel {
    private let table, indices, y: Operand
    private let rows: Int
    private let rowBytes: Int
    private let indicesPerUnit: Int
    private let missing: [UInt8]

    init(_ call: KernelCall, _ operation: Gather) {
        let spec = call.inputSpecs[0]
        (table, indices, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        rows = spec.shape[0]
        rowBytes = spec.shape.dropFirst().reduce(spec.type.byteCount, *)
        indicesPerUnit = call.elementsPerUnit(call.inputSpecs[1])
        let length = spec.shape.dropFirst().reduce(1, *)
        let mark = operation.marksInvalid && spec.type.isFloatingPoint ? Double.nan : 0
        missing = NDArray(repeating: mark, shape: [length]).converted(to: spec.type)
            .withUnsafeBytes { Array($0) }
    }

    override func run(_ task: ShardTask) {
        let base = table.address(task)
        let wanted: UnsafeMutablePointer<Int32> = indices.pointer(task)
        let target = y.address(task)
        for position in 0..<(indicesPerUnit * task.count) {
            let index = Int(wanted[position])
            let row = target + position * rowBytes
            if index >= 0, index < rows {
                row.copyMemory(from: base + index * rowBytes, byteCount: rowBytes)
            } else {
                missing.withUnsafeBytes {
                    if let source = $0.baseAddress {
                        row.copyMemory(from: source, byteCount: rowBytes)
                    }
                }
            }
        }
    }
}

extension Gather: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { GatherKernel(call, self) }
}

/// Bytes of a table by index, as scaled floats. An index outside the table gives a row of zeros.
final class ScaledGatherKernel: Kernel {
    private let table, indices, y: Operand
    private let rows, length, indicesPerUnit, indexCount: Int
    private let scale, shift: Float
    /// Bytes of the next shard's rows that are asked for at most: a part of L2.
    private static let mostAhead = 1 << 17

    init(_ call: KernelCall, _ operation: ScaledGather) {
        (table, indices, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        rows = call.inputSpecs[0].shape[0]
        length = call.inputSpecs[0].shape.dropFirst().reduce(1, *)
        indicesPerUnit = call.elementsPerUnit(call.inputSpecs[1])
        indexCount = call.inputSpecs[1].shape.elementCount
        scale = Float(operation.scale)
        shift = Float(operation.shift)
    }

    override func run(_ task: ShardTask) {
        let wanted: UnsafeMutablePointer<Int32> = indices.pointer(task)
        let target: UnsafeMutablePointer<Float> = y.pointer(task)
        var start = 0
        let count = indicesPerUnit * task.count
        // Runs of valid indices go to the loop in one call.
        while start < count {
            var end = start
            while end < count, wanted[end] >= 0, Int(wanted[end]) < rows { end += 1 }
            ek_gather_scale_u8_f32(
                table.pointer(task), wanted + start, end - start, length, scale, shift,
                target + start * length)
            if end < count { (target + end * length).update(repeating: shift, count: length) }
            start = end + 1
        }
        askForNext(task)
    }

    /// Where the next shard's rows lie is known where the indices are an input: they come from memory while
    /// this shard is worked on.
    private func askForNext(_ task: ShardTask) {
        guard case .bound = indices.place else { return }
        let next = (task.start + task.count) * indicesPerUnit
        let count = min(
            indicesPerUnit * task.count, indexCount - next, Self.mostAhead / max(length, 1))
        guard count > 0 else { return }
        let wanted: UnsafeMutablePointer<Int32> = indices.pointer(task)
        let ahead = wanted + indicesPerUnit * task.count
        let areValid = (0..<count).allSatisfy { ahead[$0] >= 0 && Int(ahead[$0]) < rows }
        if areValid { ek_prefetch_rows(table.pointer(task), ahead, count, length) }
    }
}

extension ScaledGather: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { ScaledGatherKernel(call, self) }
}

/// 1 at the label's place in a row of zeros; an impossible label gives a row of NaN.
final class OneHotKernel: Kernel {
    private let labels, y: Operand
    private let classes: Int
    private let labelsPerUnit: Int

    init?(_ call: KernelCall, _ operation: OneHot) {
        guard operation.type == .float32 else { return nil }
        (labels, y) = (call.inputs[0], call.outputs[0])
        classes = operation.classes
        labelsPerUnit = call.elementsPerUnit(call.inputSpecs[0])
    }

    override func run(_ task: ShardTask) {
        let source: UnsafeMutablePointer<Int32> = labels.pointer(task)
        let target: UnsafeMutablePointer<Float> = y.pointer(task)
        for position in 0..<(labelsPerUnit * task.count) {
            let row = target + position * classes
            let label = Int(source[position])
            let isPossible = label >= 0 && label < classes
            row.update(repeating: isPossible ? 0 : .nan, count: classes)
            if isPossible { row[label] = 1 }
        }
    }
}

extension OneHot: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { OneHotKernel(call, self) }
}

/// Numbers in [0, 1) for each sample, from its global index and the step.
final class RandomUniformKernel: Kernel {
    private let step, indices, y: Operand
    private let isWide: Bool
    private let numbersPerSample: Int
    private let operation: RandomUniform

    init(_ call: KernelCall, _ operation: RandomUniform) {
        (step, indices, y) = (call.inputs[0], call.inputs[1], call.outputs[0])
        isWide = call.inputSpecs[0].type == .int64
        numbersPerSample = operation.sampleShape.elementCount
        self.operation = operation
    }

    override func run(_ task: ShardTask) {
        let samples: UnsafeMutablePointer<Int32> = indices.pointer(task)
        let target: UnsafeMutablePointer<Float> = y.pointer(task)
        let now =
            isWide
            ? step.pointer(task, as: Int64.self).pointee
            : Int64(step.pointer(task, as: Int32.self).pointee)
        for sample in 0..<task.count {
            let row = target + sample * numbersPerSample
            for block in 0..<((numbersPerSample + 3) / 4) {
                let words = operation.words(step: now, index: samples[sample], block: block)
                let numbers = [words.0, words.1, words.2, words.3]
                for lane in 0..<min(4, numbersPerSample - block * 4) {
                    row[block * 4 + lane] = Philox.unit(numbers[lane])
                }
            }
        }
    }
}

extension RandomUniform: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        call.units?.count == call.inputSpecs[1].shape[0] ? RandomUniformKernel(call, self) : nil
    }
}
