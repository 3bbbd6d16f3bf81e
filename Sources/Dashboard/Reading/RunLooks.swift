import Training

/// Looks into a run's layers, as its `statistics.jsonl` grows: some of them, evenly over the file, and the
/// newest. Lines that are not kept are not decoded either.
package struct RunLooks {
    /// At most so many are kept, besides the newest; at least half of it once there were as many.
    package static let maximumCount = 128

    /// Every so many-th line of the file.
    private(set) var kept: [StepStatistics] = []
    private(set) var newest: StepStatistics?
    private var stride = 1
    private var lineCount = 0
    private var tail = LineTail()

    /// In the order of the file.
    var all: [StepStatistics] {
        guard let newest, newest.step != kept.last?.step else { return kept }
        return kept + [newest]
    }

    /// Reads what is new, at most about so many bytes; returns whether there is more.
    mutating func read(_ path: String, in folder: ConfinedFolder, budget: Int) -> Bool {
        guard let file = folder.file(path) else { return false }
        var (tail, fresh) = (tail, self)
        var last: [UInt8] = []
        let hasMore = tail.read(
            file, budget: budget, restart: { fresh = RunLooks() },
            line: { line in
                fresh.take(line)
                last.removeAll(keepingCapacity: true)
                last.append(contentsOf: line)
            })
        self = fresh
        self.tail = tail
        if !last.isEmpty, let statistics = JSONLines.decode(last, as: StepStatistics.self) {
            newest = statistics
        }
        return hasMore
    }

    private mutating func take(_ line: UnsafeRawBufferPointer) {
        defer { lineCount += 1 }
        guard lineCount % stride == 0,
            let statistics = JSONLines.decode(line, as: StepStatistics.self)
        else { return }
        kept.append(statistics)
        guard kept.count > Self.maximumCount else { return }
        kept = kept.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        stride *= 2
    }
}
