/// Places buffers with known lifetimes into one block of memory, reusing what is no longer alive.
package struct MemoryLayout {
    package struct Interval {
        package var byteCount: Int
        /// First and last time of use, inclusive.
        package var times: ClosedRange<Int>

        package init(byteCount: Int, times: ClosedRange<Int>) {
            self.byteCount = byteCount
            self.times = times
        }
    }

    /// Offset of each interval, and the bytes that all of them need.
    package private(set) var offsets: [Int]
    package private(set) var byteCount = 0

    /// So many buffers are compared with each other; what is small beyond them gets memory of its own, or
    /// steps of tens of thousands of small tensors would take minutes to plan.
    static let mostCompared = 4096
    static let smallBytes = 4096

    /// Greedy by size: the largest first, each at the lowest offset where it overlaps no buffer that is
    /// alive at the same time.
    package init(_ intervals: [Interval]) {
        offsets = [Int](repeating: 0, count: intervals.count)
        let order = intervals.indices.sorted {
            (intervals[$0].byteCount, -$0) > (intervals[$1].byteCount, -$1)
        }
        var placed: [Int] = []
        for index in order {
            let size = Self.rounded(intervals[index].byteCount)
            if placed.count >= Self.mostCompared, size <= Self.smallBytes {
                // The smallest come last: nothing is placed behind these.
                offsets[index] = byteCount
                byteCount += size
                continue
            }
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
