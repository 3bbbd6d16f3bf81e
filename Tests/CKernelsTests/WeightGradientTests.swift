import CKernels
import Testing

/// A convolution and a number of samples; the channels are multiples of 16.
struct PairCase: Sendable, CustomTestStringConvertible {
    var height, width, channels, outputs: Int
    var kernel: (Int, Int) = (3, 3)
    var strides: (Int, Int) = (1, 1)
    var before: (Int, Int) = (1, 1)
    var rows, columns, samples: Int

    var testDescription: String {
        "\(samples) of \(height)x\(width)x\(channels) to \(rows)x\(columns)x\(outputs), "
            + "kernel \(kernel), strides \(strides)"
    }

    static let all = [
        PairCase(
            height: 7, width: 7, channels: 16, outputs: 16, rows: 7, columns: 7, samples: 2),
        PairCase(
            height: 9, width: 5, channels: 32, outputs: 16, rows: 9, columns: 5, samples: 3),
        PairCase(
            height: 8, width: 9, channels: 16, outputs: 32, strides: (2, 2), rows: 4, columns: 5,
            samples: 1),
        PairCase(
            height: 6, width: 6, channels: 16, outputs: 48, kernel: (1, 1), strides: (2, 1),
            before: (0, 0), rows: 3, columns: 6, samples: 4),
        // The kernel reaches over the whole image and beyond, on every side.
        PairCase(
            height: 2, width: 1, channels: 16, outputs: 16, kernel: (5, 4), before: (2, 2),
            rows: 2, columns: 2, samples: 5),
    ]
}

@Suite("Weight gradients of bfloat16 images")
struct WeightGradientTests {
    private static func bits(_ value: Float) -> UInt16 { UInt16(value.bitPattern >> 16) }
    private static func value(_ bits: UInt16) -> Double {
        Double(Float(bitPattern: UInt32(bits) << 16))
    }

    @Test("They agree with sums in Double, and add to what is there", arguments: PairCase.all)
    func agrees(c: PairCase) {
        guard ek_has_bf16() != 0 else { return }
        var random = Generator(5)
        let x = random.floats(c.samples * c.height * c.width * c.channels).map(Self.bits)
        let dy = random.floats(c.samples * c.rows * c.columns * c.outputs).map(Self.bits)
        var convolution = ek_convolution(
            height: c.height, width: c.width, channels: c.channels, rows: c.rows,
            columns: c.columns, outputs: c.outputs, kernel: c.kernel, strides: c.strides,
            before: c.before)
        #expect(ek_weight_gradient_bf16_fits(&convolution) != 0)
        var dw = [Float](
            repeating: 0.5, count: c.kernel.0 * c.kernel.1 * c.channels * c.outputs)
        let workspace = UnsafeMutableRawPointer.allocate(
            byteCount: ek_weight_gradient_bf16_workspace(&convolution), alignment: 64)
        defer { workspace.deallocate() }
        // Asking for memory changes nothing, and none of it has to be there.
        x.withUnsafeBytes { bytes in
            let ahead = [
                ek_range(from: bytes.baseAddress, bytes: bytes.count),
                ek_range(from: nil, bytes: 5000), ek_range(from: bytes.baseAddress, bytes: 0),
            ]
            ek_weight_gradient_bf16(
                &convolution, x, dy, c.samples, &dw, workspace, ahead, ahead.count)
        }

        var expected = [Double](repeating: 0.5, count: dw.count)
        for n in 0..<c.samples {
            for i in 0..<c.rows {
                for j in 0..<c.columns {
                    for r in 0..<c.kernel.0 {
                        for s in 0..<c.kernel.1 {
                            let row = i * c.strides.0 + r - c.before.0
                            let column = j * c.strides.1 + s - c.before.1
                            guard (0..<c.height).contains(row), (0..<c.width).contains(column)
                            else { continue }
                            let image = ((n * c.height + row) * c.width + column) * c.channels
                            let result = ((n * c.rows + i) * c.columns + j) * c.outputs
                            let tap = (r * c.kernel.1 + s) * c.channels
                            for a in 0..<c.channels {
                                for b in 0..<c.outputs {
                                    expected[(tap + a) * c.outputs + b] +=
                                        Self.value(x[image + a]) * Self.value(dy[result + b])
                                }
                            }
                        }
                    }
                }
            }
        }
        #expect(worst(dw, expected) < 1e-5)
    }

    @Test("Other channels do not fit, and no processor without the instructions")
    func fits() {
        var convolution = ek_convolution(
            height: 7, width: 7, channels: 24, rows: 7, columns: 7, outputs: 16, kernel: (3, 3),
            strides: (1, 1), before: (1, 1))
        #expect(ek_weight_gradient_bf16_fits(&convolution) == 0)
        convolution.channels = 32
        ek_limit_level(EK_LEVEL_V3)
        defer { ek_limit_level(-1) }
        #expect(ek_has_bf16() == 0 && ek_weight_gradient_bf16_fits(&convolution) == 0)
    }
}
