import CKernels
import Testing

@Suite("Matrix products of few rows")
struct ProductTests {
    /// Around the ends of vectors and blocks: m, n, k.
    static let sizes: [(Int, Int, Int)] = {
        var sizes: [(Int, Int, Int)] = []
        for m in [1, 2, 7, 16] {
            for n in [1, 10, 31, 130] {
                for k in [0, 1, 37, 128] { sizes.append((m, n, k)) }
            }
        }
        return sizes
    }()

    @Test("They agree with sums in Double, whatever lies beside the operands", arguments: 0..<3)
    func agrees(form: Int) {
        let (transposesA, transposesB) = (form == 1, form == 2)
        var random = Generator(UInt64(form + 1))
        for (m, n, k) in Self.sizes {
            let lda = (transposesA ? m : k) + 3
            let ldb = (transposesB ? k : n) + 2
            let a = random.floats((transposesA ? k : m) * lda)
            let b = random.floats((transposesB ? n : k) * ldb)
            var expected = [Double](repeating: 0, count: m * n)
            for i in 0..<m {
                for j in 0..<n {
                    expected[i * n + j] = (0..<k).reduce(0) { sum, p in
                        let left = a[transposesA ? p * lda + i : i * lda + p]
                        let right = b[transposesB ? j * ldb + p : p * ldb + j]
                        return sum + Double(left) * Double(right)
                    }
                }
            }
            onEveryLevel {
                var y = [Float](repeating: .nan, count: m * n)
                ek_product_f32(
                    transposesA ? 1 : 0, transposesB ? 1 : 0, m, n, k, a, lda, b, ldb, &y)
                #expect(worst(y, expected) < 4e-6, "\(m) x \(n) x \(k)")

                // A row's result does not depend on the rows beside it.
                var rows = [Float](repeating: .nan, count: m * n)
                for i in 0..<m {
                    a.withUnsafeBufferPointer { a in
                        rows.withUnsafeMutableBufferPointer { rows in
                            ek_product_f32(
                                transposesA ? 1 : 0, transposesB ? 1 : 0, 1, n, k,
                                a.baseAddress! + (transposesA ? i : i * lda), lda, b, ldb,
                                rows.baseAddress! + i * n)
                        }
                    }
                }
                #expect(rows == y, "\(m) x \(n) x \(k)")
            }
        }
    }
}
