import CKernels
import Testing

@Suite("Gathering and conversions")
struct ConvertTests {
    @Test("Rows by index", arguments: [1, 3, 16, 49, 784])
    func gather(length: Int) {
        var random = Generator(9)
        let rows = 11
        let bytes = (0..<rows * length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let floats = random.floats(rows * length)
        let indices: [Int32] = [3, 10, 0, 3]
        onEveryLevel {
            var y = [Float](repeating: 9, count: 4 * length)
            ek_gather_scale_u8_f32(bytes, indices, 4, length, 0.25, -1, &y)
            let from = indices.flatMap { i in (0..<length).map { Int(i) * length + $0 } }
            #expect(y == from.map { Float(bytes[$0]) * 0.25 - 1 })
            ek_gather_f32(floats, indices, 4, length, &y)
            #expect(y == from.map { floats[$0] })
            let labels = (0..<Int32(rows * length)).map { $0 }
            var gathered = [Int32](repeating: 9, count: 4 * length)
            ek_gather_i32(labels, indices, 4, length, &gathered)
            #expect(gathered == from.map { labels[$0] })
            var (sums, expected) = ([Float](repeating: 1, count: rows * length), [Float]())
            expected = sums
            ek_scatter_add_f32(y, indices, 4, length, &sums)
            for (k, i) in from.enumerated() { expected[i] += y[k] }
            #expect(sums == expected)
        }
    }

    static let edges: [Float] = [
        0, -0.0, 1, -1, 0.5, 255, 256, 254.9, -3, 2_147_483_648, -2_147_483_648, 3e9, -3e9,
        2_147_483_520, 65504, 65519, 65520, 1e5, -1e5, 6e-8, 2.98e-8, 3e-8, 1e-9, 6.1e-5,
        .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    ]

    @Test("Numbers of every exponent, to and from 16 bits and integers")
    func conversions() {
        var random = Generator(10)
        var x = Self.edges
        for exponent in 0...254 {
            for _ in 0..<6 {
                let bits = UInt32(exponent) << 23 | UInt32(random.next() & 0x807F_FFFF)
                x.append(Float(bitPattern: bits))
                x.append(Float(bitPattern: bits & 0xFFFF_0000 | 0x8000))  // ties
                x.append(Float(bitPattern: bits & 0xFFFF_E000 | 0x1000))
            }
        }
        let n = x.count
        onEveryLevel {
            var half = [UInt16](repeating: 9, count: n)
            var back = [Float](repeating: 9, count: n)
            ek_convert_f32_bf16(x, &half, n)
            ek_convert_bf16_f32(half, &back, n)
            for i in 0..<n where !x[i].isNaN {
                // The neighbours among floats with 8 bits of significand; the nearer, else even.
                let low = x[i].bitPattern & 0xFFFF_0000
                let rest = x[i].bitPattern & 0xFFFF
                let up = rest > 0x8000 || (rest == 0x8000 && low & 0x10000 != 0)
                #expect(back[i].bitPattern == (up ? low + 0x10000 : low))
            }
            #expect(back[Self.edges.firstIndex { $0.isNaN }!].isNaN)

            var i32 = [Int32](repeating: 9, count: n)
            var u8 = [UInt8](repeating: 9, count: n)
            ek_convert_f32_i32(x, &i32, n)
            ek_convert_f32_u8(x, &u8, n)
            for i in 0..<n {
                let whole = x[i].isNaN ? 0 : Double(x[i])
                #expect(i32[i] == Int32(min(max(whole, -2_147_483_648), 2_147_483_647)))
                #expect(u8[i] == UInt8(min(max(whole, 0), 255)))
            }
            var (d, f) = ([Double](repeating: 9, count: n), back)
            ek_convert_f32_f64(x, &d, n)
            ek_convert_f64_f32(d, &f, n)
            #expect(worst(f, d) == 0)
            ek_convert_i32_f32(i32, &f, n)
            #expect(f == i32.map { Float($0) })
            ek_convert_scale_u8_f32(u8, 0.5, -1, &f, n)
            #expect(f == u8.map { Float($0) * 0.5 - 1 })

            ek_convert_f32_f16(x, &half, n)
            ek_convert_f16_f32(half, &back, n)
            for i in 0..<n where !x[i].isNaN {
                #expect(back[i].bitPattern == roundedToHalf(x[i]).bitPattern)
            }
        }
    }

    /// float16 has 11 bits of significand, down to units of 2^-24, and ends at 65504.
    func roundedToHalf(_ x: Float) -> Float {
        guard x.isFinite, x != 0 else { return x }
        let unit = max(Double(sign: .plus, exponent: Int(x.exponent) - 10, significand: 1), 0x1p-24)
        let rounded = Float((Double(x) / unit).rounded(.toNearestOrEven) * unit)
        return abs(rounded) > 65504 ? (x < 0 ? -.infinity : .infinity) : rounded
    }

    @Test("All float16 numbers widen exactly and narrow to themselves")
    func everyHalf() {
        let all = (0...UInt16.max).map { $0 }
        onEveryLevel {
            var wide = [Float](repeating: 9, count: all.count)
            var back = all
            ek_convert_f16_f32(all, &wide, all.count)
            ek_convert_f32_f16(wide, &back, all.count)
            for bits in all {
                let exponent = Int(bits >> 10 & 31)
                let significand = Double(bits & 1023)
                let sign = bits >> 15 == 0 ? 1.0 : -1.0
                let value = wide[Int(bits)]
                if exponent == 31 {
                    #expect(significand == 0 ? value == Float(sign * .infinity) : value.isNaN)
                    #expect(
                        significand == 0 ? back[Int(bits)] == bits : back[Int(bits)] == bits | 512)
                } else {
                    let scale = Double(sign: .plus, exponent: max(exponent, 1) - 25, significand: 1)
                    let truth = sign * (significand + (exponent == 0 ? 0 : 1024)) * scale
                    if Double(value) != truth || back[Int(bits)] != bits {
                        Issue.record("\(bits) widens to \(value), not \(truth)")
                    }
                }
            }
        }
    }
}
