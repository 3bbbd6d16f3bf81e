import Arrays
import Runtime
import Testing

@Suite struct MemoryLayoutTests {
    /// Also with more buffers than are compared with each other, where the small ones are not reused.
    @Test(arguments: [0, 1, 7, 300, 6000])
    func buffersThatLiveTogetherDoNotOverlap(count: Int) {
        let numbers = Philox(key: 5).uniform([3 * count])
        let intervals = (0..<count).map { index in
            let first = Int(numbers[3 * index] * 40)
            let isLarge = numbers[3 * index + 2] < 0.1
            let bytes = Int(numbers[3 * index + 1] * (isLarge ? 1e6 : 3000))
            return Runtime.MemoryLayout.Interval(
                byteCount: bytes, times: first...(first + Int(numbers[3 * index + 2] * 5)))
        }
        let layout = Runtime.MemoryLayout(intervals)
        let ends = zip(layout.offsets, intervals).map { $0 + $1.byteCount }
        #expect(layout.offsets.allSatisfy { $0 >= 0 && $0 % 64 == 0 })
        #expect(ends.allSatisfy { $0 <= layout.byteCount })
        var overlaps = 0
        for time in 0..<45 {
            let alive = intervals.indices.filter { intervals[$0].times.contains(time) }
                .sorted { layout.offsets[$0] < layout.offsets[$1] }
            for (index, next) in zip(alive, alive.dropFirst())
            where ends[index] > layout.offsets[next] {
                overlaps += 1
            }
        }
        #expect(overlaps == 0)
        let total = intervals.reduce(0) { $0 + $1.byteCount }
        #expect(count < 300 || layout.byteCount < total / 2)
    }
}
