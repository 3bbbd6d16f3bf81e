/// Places buffers with known lifetimes into one block of memory, reusing what is no longer alive.
struct MemoryLayout {
    struct Interval {
        var byteCount: Int
        /// First and last time of use, inclusive.
        var times: ClosedRange<Int>
    }

    /// Offset of each interval, and the bytes that all of them need.
    private(set) var offsets: [Int]
    private(set) var byteCount = 0

    /// Greedy by size: the largest first, each at the lowest offset where it overlaps no buffer that is
    /// alive at the same time.
    init(_ intervals: [Interval]) {
        offsets = [Int](repeating: 0, count: intervals.count)
        let order = intervals.indices.sorted {
            (intervals[$0].byteCount, -$0) > (intervals[$1].byteCount, -$1)
        }
        var placed: [Int] = []
        for index in order {
            let size = Self.rounded(intervals[index].byteCount)
            let conflicts =
                placed
                .filter { intervals[$0].times.overlaps(intervals[index].times) }
                .map { (offsets[$0], offsets[$0] + Self.rounded(intervals[$0].byteCount)) }
                .sorted { $0.0 < $1.0 }
            var offset = 0
            for (start, end) in conflicts {
                if offset + size <= start { break }
                offset = max(offset, end)
            }
            offsets[index] = offset
            byteCount = max(byteCount, offset + size)
            placed.append(index)
        }
    }

    /// Whole cache lines, so that no two buffers share one.
    private static func rounded(_ byteCount: Int) -> Int { (max(byteCount, 1) + 63) / 64 * 64 }
}
