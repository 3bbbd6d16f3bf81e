import CKernels
import Testing

/// A convolution of float32 images with outputs in multiples of 16, and what is done to its results.
struct DirectCase: Sendable, CustomTestStringConvertible {
    var convolution: ek_convolution
    var samples: Int
    var hasBias, hasResidual, isTurned: Bool
    var slope, limit: Float

    var testDescription: String {
        let g = convolution
        return "\(samples) of \(g.height)x\(g.width)x\(g.channels) to "
            + "\(g.rows)x\(g.columns)x\(g.outputs), kernel \(g.kernel), strides \(g.strides), "
            + "before \(g.before), \(hasBias) \(hasResidual) \(isTurned) \(slope) \(limit)"
    }

    /// Images from one pixel to some that fill several bands, kernels that reach beyond all their sides.
    static let all: [DirectCase] = {
        var random = Generator(11)
        func pick(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(random.next() % UInt64(range.count))
        }
        return (0..<300).map { index in
            let kernel = (pick(1...5), pick(2...5))
            let strides = (pick(1...3), pick(1...2))
            let isLarge = index % 20 == 0
            return DirectCase(
                convolution: ek_convolution(
                    height: pick(1...(isLarge ? 40 : 9)), width: pick(1...(isLarge ? 40 : 9)),
                    channels: pick(4...(isLarge ? 24 : 21)), rows: pick(1...(isLarge ? 33 : 9)),
                    columns: pick(1...(isLarge ? 33 : 9)), outputs: 16 * pick(1...3),
                    kernel: kernel, strides: strides,
                    before: (pick(0...kernel.0), pick(0...kernel.1))),
                samples: pick(1...3), hasBias: pick(0...1) == 0, hasResidual: pick(0...1) == 0,
                isTurned: pick(0...1) == 0, slope: [0, 1, 0.25][pick(0...2)],
                limit: [.infinity, 1][pick(0...1)])
        }
    }()
}

@Suite("Convolutions of float32 images")
struct ConvolutionTests {
    @Test("They agree with sums in Double", arguments: DirectCase.all)
    func agrees(c: DirectCase) {
        guard ek_highest_level() >= EK_LEVEL_V3 else { return }
        ek_limit_level(EK_LEVEL_V3)
        defer { ek_limit_level(-1) }
        var g = c.convolution
        #expect(ek_convolution_f32_fits(&g) != 0)
        var random = Generator(7)
        let x = random.floats(c.samples * g.height * g.width * g.channels)
        let w = random.floats(g.outputs * g.channels * g.kernel.0 * g.kernel.1)
        let bias = random.floats(g.outputs)
        let residual = random.floats(c.samples * g.rows * g.columns * g.outputs)
        // Whatever it writes beyond its memory, or leaves unwritten, is seen.
        var packed = [Float](repeating: .nan, count: ek_convolution_f32_packed(&g) / 4 + 1)
        ek_convolution_f32_pack(&g, c.isTurned ? 1 : 0, w, &packed)
        #expect(packed.last!.isNaN && !packed.dropLast().contains { $0.isNaN })
        var y = [Float](repeating: .nan, count: residual.count + 1)
        let workspace = UnsafeMutableRawPointer.allocate(
            byteCount: ek_convolution_f32_workspace(&g), alignment: 64)
        defer { workspace.deallocate() }
        bias.withUnsafeBufferPointer { bias in
            residual.withUnsafeBufferPointer { residual in
                var output = ek_convolution_output(
                    bias: c.hasBias ? bias.baseAddress : nil,
                    residual: c.hasResidual ? residual.baseAddress : nil, slope: c.slope,
                    limit: c.limit)
                ek_convolution_f32(&g, x, c.samples, packed, &output, &y, workspace)
            }
        }
        #expect(y.removeLast().isNaN)

        let expected = sums(c, x, w).enumerated().map { index, sum in
            var sum = sum
            if c.hasBias { sum += Double(bias[index % g.outputs]) }
            if c.hasResidual { sum += Double(residual[index]) }
            return min(sum < 0 ? sum * Double(c.slope) : sum, Double(c.limit))
        }
        #expect(worst(y, expected) < 1e-5)
    }

    @Test("NaN stays NaN, whatever follows")
    func keepsNaN() {
        guard ek_highest_level() >= EK_LEVEL_V3 else { return }
        ek_limit_level(EK_LEVEL_V3)
        defer { ek_limit_level(-1) }
        var g = ek_convolution(
            height: 1, width: 1, channels: 4, rows: 1, columns: 1, outputs: 16, kernel: (1, 2),
            strides: (1, 1), before: (0, 0))
        let packed = [Float](repeating: 1, count: ek_convolution_f32_packed(&g) / 4)
        let workspace = UnsafeMutableRawPointer.allocate(
            byteCount: ek_convolution_f32_workspace(&g), alignment: 64)
        defer { workspace.deallocate() }
        var output = ek_convolution_output(bias: nil, residual: nil, slope: 0, limit: 6)
        var y = [Float](repeating: 0, count: 16)
        ek_convolution_f32(&g, [1, .nan, 2, 3], 1, packed, &output, &y, workspace)
        #expect(y.allSatisfy { $0.isNaN })
    }

    @Test("Other outputs, single elements and processors with larger vectors do not fit")
    func fits() {
        guard ek_highest_level() >= EK_LEVEL_V3 else { return }
        defer { ek_limit_level(-1) }
        let fitting = ek_convolution(
            height: 7, width: 7, channels: 16, rows: 7, columns: 7, outputs: 16, kernel: (3, 3),
            strides: (1, 1), before: (1, 1))
        func fits(_ change: (inout ek_convolution) -> Void, level: Int32 = EK_LEVEL_V3) -> Bool {
            ek_limit_level(level)
            var convolution = fitting
            change(&convolution)
            return ek_convolution_f32_fits(&convolution) != 0
        }
        #expect(fits { _ in })
        #expect(!fits { $0.outputs = 24 })
        #expect(!fits { $0.kernel = (1, 1) })
        #expect(!fits { $0.channels = 1 })
        #expect(!fits({ _ in }, level: EK_LEVEL_BASELINE))
        #expect(ek_highest_level() == EK_LEVEL_V3 || !fits({ _ in }, level: EK_LEVEL_V4))
    }

    /// Of products alone.
    private func sums(_ c: DirectCase, _ x: [Float], _ w: [Float]) -> [Double] {
        let g = c.convolution
        let (kernelRows, kernelColumns) = (Int(g.kernel.0), Int(g.kernel.1))
        let taps = kernelRows * kernelColumns
        var result: [Double] = []
        for n in 0..<c.samples {
            for i in 0..<g.rows {
                for j in 0..<g.columns {
                    for o in 0..<g.outputs {
                        var sum = 0.0
                        for t in 0..<taps {
                            let row = i * g.strides.0 + t / kernelColumns - g.before.0
                            let column = j * g.strides.1 + t % kernelColumns - g.before.1
                            guard (0..<g.height).contains(row), (0..<g.width).contains(column)
                            else { continue }
                            let pixel = ((n * g.height + row) * g.width + column) * g.channels
                            for a in 0..<g.channels {
                                let weight =
                                    c.isTurned
                                    ? w[(a * g.outputs + o) * taps + taps - 1 - t]
                                    : w[(o * g.channels + a) * taps + t]
                                sum += Double(x[pixel + a]) * Double(weight)
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return result
    }
}
