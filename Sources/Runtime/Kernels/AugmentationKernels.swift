import Arrays
import Graph

/// Shifted, mirrored and cut images of a table of bytes, as floats.
final class AugmentedGatherKernel: Kernel {
    private let table, indices, epoch, y: Operand
    private let rows, height, width, channels: Int
    private let operation: AugmentedGather
    /// What each byte of each channel becomes: `[channels, 256]`.
    private let values: [Float]

    init(_ call: KernelCall, _ operation: AugmentedGather) {
        (table, indices, epoch) = (call.inputs[0], call.inputs[1], call.inputs[2])
        y = call.outputs[0]
        let shape = call.inputSpecs[0].shape
        (rows, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        self.operation = operation
        values = zip(operation.scale, operation.shift).flatMap { scale, shift in
            (0..<256).map { Float(Double($0) * scale + shift) }
        }
    }

    override func run(_ task: ShardTask) {
        let images: UnsafeMutablePointer<UInt8> = table.pointer(task)
        let wanted: UnsafeMutablePointer<Int32> = indices.pointer(task)
        let target: UnsafeMutablePointer<Float> = y.pointer(task)
        let now = epoch.pointer(task, as: Int64.self).pointee
        let length = height * width * channels
        for sample in 0..<task.count {
            let (index, result) = (wanted[sample], target + sample * length)
            guard index >= 0, Int(index) < rows else {
                result.update(repeating: 0, count: length)
                continue
            }
            let draw = operation.draw(epoch: now, index: index, height: height, width: width)
            values.withUnsafeBufferPointer { values in
                write(images + Int(index) * length, draw, values.baseAddress!, result)
            }
        }
    }

    /// One image.
    private func write(
        _ image: UnsafePointer<UInt8>, _ draw: AugmentedGather.Draw,
        _ values: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>
    ) {
        let stride = width * channels
        // The columns of the output that show a part of the image.
        let shown = max(0, -draw.right)..<max(max(0, -draw.right), min(width, width - draw.right))
        let columns =
            draw.isMirrored ? (width - shown.upperBound)..<(width - shown.lowerBound) : shown
        for row in 0..<height {
            let (line, sourceRow) = (result + row * stride, row + draw.down)
            guard sourceRow >= 0, sourceRow < height, !columns.isEmpty else {
                line.update(repeating: 0, count: stride)
                continue
            }
            line.update(repeating: 0, count: columns.lowerBound * channels)
            (line + columns.upperBound * channels)
                .update(repeating: 0, count: (width - columns.upperBound) * channels)
            let first = draw.isMirrored ? width - 1 - columns.lowerBound : columns.lowerBound
            var source = image + (sourceRow * width + first + draw.right) * channels
            var target = line + columns.lowerBound * channels
            for _ in columns {
                for channel in 0..<channels {
                    target[channel] = values[channel << 8 | Int(source[channel])]
                }
                source += draw.isMirrored ? -channels : channels
                target += channels
            }
            if draw.cutRows.contains(row) {
                (line + draw.cutColumns.lowerBound * channels)
                    .update(repeating: 0, count: draw.cutColumns.count * channels)
            }
        }
    }
}

extension AugmentedGather: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        call.units?.count == call.inputSpecs[1].shape[0] ? AugmentedGatherKernel(call, self) : nil
    }
}

/// Partners and parts of mixup.
final class MixupPartnersKernel: Kernel {
    private let indices, epoch, partners, parts: Operand
    private let operation: MixupPartners

    init(_ call: KernelCall, _ operation: MixupPartners) {
        (indices, epoch) = (call.inputs[0], call.inputs[1])
        (partners, parts) = (call.outputs[0], call.outputs[1])
        self.operation = operation
    }

    override func run(_ task: ShardTask) {
        let samples: UnsafeMutablePointer<Int32> = indices.pointer(task)
        let chosen: UnsafeMutablePointer<Int32> = partners.pointer(task)
        let own: UnsafeMutablePointer<Float> = parts.pointer(task)
        let now = epoch.pointer(task, as: Int64.self).pointee
        for sample in 0..<task.count {
            (chosen[sample], own[sample]) = operation.draw(epoch: now, index: samples[sample])
        }
    }
}

extension MixupPartners: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        call.units?.count == call.inputSpecs[0].shape[0] ? MixupPartnersKernel(call, self) : nil
    }
}
