import CKernels
import Testing

@Suite("Matrix products of few rows")
struct ProductTests {
    /// Around the ends of vectors and blocks: m, n, k.
    static let sizes: [(Int, Int, Int)] = {
        var sizes: [(Int, Int, Int)] = []
        for m in [1, 2, 3, 4, 5, 6, 7, 13, 16] {
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

    @Test("Products with a column agree with sums in Double, row by row and over rows")
    func columns() {
        var random = Generator(7)
        for (m, k) in [
            (1, 1), (3, 7), (4, 16), (9, 33), (17, 130), (2, 5003), (40, 64), (0, 5), (5, 0),
        ] {
            let (a, b) = (random.floats(m * k, offset: 1), random.floats(k, offset: -1))
            let factors = random.floats(m)
            let products = (0..<m).map { i in
                (0..<k).reduce(0) { $0 + Double(a[i * k + $1]) * Double(b[$1]) }
            }
            let sums = (0..<k).map { j in
                (0..<m).reduce(1) { $0 + Double(a[$1 * k + j]) * Double(factors[$1]) }
            }
            onEveryLevel {
                var y = [Float](repeating: .nan, count: m)
                ek_product_column_f32(m, k, a, b, &y)
                #expect(worst(y, products) < 4e-6, "\(m) x \(k)")
                var total = [Double](repeating: 1, count: k)
                ek_add_scaled_rows_f32(m, k, a, factors, &total)
                #expect(worst(total, sums) < 4e-6, "\(m) x \(k)")
            }
        }
    }
}
