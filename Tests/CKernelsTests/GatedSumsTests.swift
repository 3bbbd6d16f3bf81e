import CKernels
import Testing

@Suite("Gradients behind a ReLU with their sums in one pass")
struct GatedSumsTests {
    /// Kernels of one element type.
    private struct Loops<T: Equatable> {
        let binary:
            (
                Int32, UnsafePointer<T>?, Int, Int32, UnsafePointer<T>?, Int, Int32,
                UnsafeMutablePointer<T>?, Int, Int, Float
            ) -> Void
        let sums:
            (
                UnsafePointer<T>?, UnsafePointer<T>?, Int, Int, Int, UnsafePointer<Double>?,
                UnsafeMutablePointer<Double>?
            ) -> Void
        let columns: (UnsafePointer<T>?, Int, Int, Int, UnsafeMutablePointer<Double>?) -> Void
        let gated:
            (
                UnsafePointer<T>?, UnsafePointer<T>?, UnsafePointer<T>?, UnsafePointer<T>?, Int,
                Int,
                Int, UnsafePointer<Double>?, UnsafeMutablePointer<T>?, UnsafeMutablePointer<Double>?
            ) -> Void
    }

    private func agree<T: Equatable>(
        _ loops: Loops<T>, _ shape: Shape, dy: [T], added: [T], gate: [T], x: [T], mean: [Double]
    ) {
        let (n, c, k) = (shape.outer, shape.channels, shape.inner)
        for (withAdded, withX) in [(false, false), (false, true), (true, false), (true, true)] {
            var expected = dy
            var sums = [Double](repeating: 1, count: withX ? 2 * c : c)
            var expectedSums = sums
            if withAdded {
                loops.binary(
                    EK_BINARY_ADD, dy, 0, 1, added, 0, 1, &expected, 1, shape.count, 0)
            }
            let sum = expected
            loops.binary(
                EK_BINARY_RELU_GRADIENT, sum, 0, 1, gate, 0, 1, &expected, 1, shape.count, 0)
            if withX {
                loops.sums(expected, x, n, c, k, mean, &expectedSums)
            } else {
                loops.columns(expected, n, c, k, &expectedSums)
            }

            var y = dy  // in place
            x.withUnsafeBufferPointer { x in
                added.withUnsafeBufferPointer { added in
                    y.withUnsafeMutableBufferPointer { y in
                        loops.gated(
                            y.baseAddress, withAdded ? added.baseAddress : nil, gate,
                            withX ? x.baseAddress : nil, n, c, k, mean, y.baseAddress, &sums)
                    }
                }
            }
            #expect(y == expected && sums == expectedSums)
        }
    }

    @Test("The bits of one kernel after the other", arguments: Shape.all)
    func sameBits(shape: Shape) {
        let (t, other) = (CentredCase(shape, seed: 4), CentredCase(shape, seed: 5))
        func narrow(_ x: [Float]) -> [UInt16] {
            var y = [UInt16](repeating: 0, count: x.count)
            ek_convert_f32_bf16(x, &y, x.count)
            return y
        }
        // Zeros, as a ReLU's output has many, and what is not a number.
        var gate = other.x.map { max($0, 0) }
        if gate.count > 2 { gate[2] = .nan }
        let zeros: [Double]? = nil
        onEveryLevel {
            agree(
                Loops<Float>(
                    binary: ek_binary_runs_f32,
                    sums: {
                        ek_centred_sums_f32(
                            $0, $1, $2, $3, $4, $5, zeros, zeros, nil, EK_IDENTITY, 0, nil, 0,
                            $6)
                    }, columns: ek_column_sums_f32, gated: ek_gated_sums_f32),
                shape, dy: t.dy, added: other.dy, gate: gate, x: t.x, mean: t.mean)
            agree(
                Loops<UInt16>(
                    binary: ek_binary_runs_bf16,
                    sums: {
                        ek_centred_sums_bf16(
                            $0, $1, $2, $3, $4, $5, zeros, zeros, nil, EK_IDENTITY, 0, nil, 0,
                            $6)
                    }, columns: ek_column_sums_bf16, gated: ek_gated_sums_bf16),
                shape, dy: narrow(t.dy), added: narrow(other.dy), gate: narrow(gate),
                x: narrow(t.x), mean: t.mean)
        }
    }
}
