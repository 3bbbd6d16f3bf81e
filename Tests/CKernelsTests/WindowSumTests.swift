import CKernels
import Testing

@Suite("Sums over windows of channels")
struct WindowSumTests {
    @Test(
        "Against the definition, to the bit", arguments: [1, 5, 16, 33, 100], [1, 3, 16, 40])
    func definition(channels: Int, inner: Int) {
        let outer = 2
        let length = channels * inner
        var random = Generator(UInt64(length))
        let x = random.floats(outer * length).map {
            Float(bitPattern: $0.bitPattern & 0xFFFF_0000)
        }
        let narrow = x.map { UInt16($0.bitPattern >> 16) }
        for (before, after) in [(0, 0), (2, 2), (1, 0), (0, 4), (3, 200)] {
            let truth = (0..<outer * length).map { index -> Float in
                let (start, position) = (index / length * length, index % length)
                let channel = position / inner
                let window = max(0, channel - before)...min(channels - 1, channel + after)
                return window.reduce(0) { $0 + x[start + $1 * inner + position % inner] }
            }
            onEveryLevel {
                var y = [Float](repeating: 9, count: x.count)
                ek_window_sum_f32(x, outer, channels, inner, before, after, &y)
                #expect(y == truth, "\(before) before, \(after) after")
                var rounded = [UInt16](repeating: 9, count: x.count)
                ek_window_sum_bf16(narrow, outer, channels, inner, before, after, &rounded)
                let near = zip(rounded, truth).allSatisfy {
                    abs(Float(bitPattern: UInt32($0) << 16) - $1) <= abs($1) / 256
                }
                #expect(near, "\(before) before, \(after) after, bfloat16")
            }
        }
    }
}
