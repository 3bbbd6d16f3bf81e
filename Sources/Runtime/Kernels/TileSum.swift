import CKernels
import Graph

/// A sum of which each tile of an elementwise result gives a part, while it is in the fastest cache. In
/// float over a tile's rows or over its run of a row, in double beyond. Plain memory, which its kernel owns.
struct TileSum {
    /// How far the sums advance along the walk's axes; 0 along what is added up.
    private let outer, row, element: Int
    /// A group's sums, and how far those of the next are.
    private let memory: UnsafeMutablePointer<Double>
    private let stride: Int
    private let output: Operand
    /// Sums that a unit has for itself; all where units are added up.
    private let sumsPerUnit: Int
    private let isMerged: Bool

    /// Whether a sum can be taken tile by tile: over the rows of tiles or over the elements of rows, that
    /// are not so few that it is all calls.
    ///
    /// - Parameters:
    ///   - extents: of the walk, at most three.
    ///   - strides: of the sums.
    static func fits(_ extents: [Int], _ strides: [Int]) -> Bool {
        guard let length = extents.last, let element = strides.last else { return false }
        let rowStride = strides.count > 1 ? strides[strides.count - 2] : 0
        if element == 0 { return length >= 64 }
        return rowStride == 0 && length >= 16
    }

    /// - Parameters:
    ///   - isMerged: whether units are added up.
    ///   - partials: as many sums as all of them, or as a shard has.
    init(
        _ strides: [Int], sumsPerUnit: Int, isMerged: Bool, _ partials: GroupPartials,
        _ output: Operand
    ) {
        (outer, row, element) = (strides[0], strides[1], strides[2])
        (memory, stride) = (partials[0], partials[1] - partials[0])
        self.isMerged = isMerged
        self.output = output
        self.sumsPerUnit = sumsPerUnit
    }

    @inline(__always)
    private func sums(_ task: ShardTask) -> UnsafeMutablePointer<Double> {
        memory + task.group * stride
    }

    /// Before a shard.
    func open(_ task: ShardTask) {
        if isMerged, !task.opensGroup { return }
        sums(task).update(repeating: 0, count: isMerged ? sumsPerUnit : sumsPerUnit * task.count)
    }

    /// Adds a tile, whose rows lie one behind the other.
    @inline(__always)
    func add(
        _ tile: UnsafePointer<Float>, _ task: ShardTask, _ at: (outer: Int, row: Int, element: Int),
        rows: Int, length: Int
    ) {
        let sums = sums(task) + (at.outer * outer + at.row * row + at.element * element)
        if element != 0 {
            ek_column_sums_f32(tile, rows, length, 1, sums)
        } else if row == 0 {
            sums[0] += ek_sum_f32(tile, rows * length)
        } else {
            for index in 0..<rows { sums[index * row] += ek_sum_f32(tile + index * length, length) }
        }
    }

    /// After a shard.
    func close(_ task: ShardTask) {
        if !isMerged { write(task, sumsPerUnit * task.count) }
    }

    /// After all, when the groups have been added up.
    func finish(_ task: ShardTask) {
        if isMerged { write(task, sumsPerUnit) }
    }

    private func write(_ task: ShardTask, _ count: Int) {
        ek_convert_f64_f32(isMerged ? memory : sums(task), output.pointer(task), count)
    }
}
