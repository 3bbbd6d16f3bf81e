import Arrays
import CKernels
import Graph

/// Elementwise operations over one shape, run together tile by tile, with sums of what they make and read;
/// see ``ElementwiseTiles``.
final class ElementwiseTilesKernel: Kernel {
    /// Elements in a tile, so few that several tiles fit the fastest cache.
    static let tileElements = 1024

    /// Where an operand of a step lies.
    private struct Place {
        /// Nil in a tile.
        var operand: Operand?
        /// Which tile.
        var tile = 0
        /// How far it advances along the three axes.
        var outer = 0
        var row = 0
        var element = 0
    }

    private enum Work {
        case function(ElementwiseLoop, b: Place?, y: Place)
        case sum(TileSum)
    }

    private struct Step {
        let a: Place
        let work: Work
    }

    private let steps: UnsafeMutableBufferPointer<Step>
    private let sums: UnsafeMutableBufferPointer<TileSum>
    /// The memory of sums: of all that are merged, and of the others.
    private let merged, unmerged: [GroupPartials]
    private let tileCount: Int
    private let walk: Walk

    /// How the result of a unit is cut: as [outer, rows, length].
    private struct Walk {
        var outer, rows, length: Int
        /// Which of them all units of a shard run on along.
        var unitAxis: Int

        /// Those of so many units.
        @inline(__always)
        func extents(units: Int) -> (outer: Int, rows: Int, length: Int) {
            switch unitAxis {
            case 0: (outer * units, rows, length)
            case 1: (outer, rows * units, length)
            default: (outer, rows, length * units)
            }
        }

        /// The rows and the length of a tile.
        @inline(__always)
        static func tile(rows: Int, length: Int) -> (rows: Int, length: Int) {
            let tileLength = max(1, min(length, tileElements))
            return (tileLength < length ? 1 : max(1, tileElements / tileLength), tileLength)
        }
    }

    /// Whether the nodes' operands can be walked together: as three axes at most.
    static func fits(_ nodes: [Node]) -> Bool {
        let axes = axes(nodes)
        guard axes.extents.count <= 3 else { return false }
        var place = 0
        for node in nodes {
            place += node.inputs.count
            guard node.operation is Sum else { continue }
            guard TileSum.fits(axes.extents, axes.strides.map { $0[place] }) else { return false }
            place += 1
        }
        return true
    }

    /// The inputs of each node, behind those of a sum its result; last, the result of all.
    private static func axes(_ nodes: [Node]) -> BroadcastAxes {
        let result = nodes[0].outputs[0].shape
        let operands = nodes.flatMap { node -> [Shape] in
            let sum = (node.operation as? Sum).map {
                result.reduced(over: $0.axes, keepingDimensions: true)
            }
            return node.inputs.map(\.shape) + (sum.map { [$0] } ?? [])
        }
        return BroadcastAxes(operands + [result], in: result)
    }

    /// - Parameters:
    ///   - nodes: those that run together, inputs before their readers; the first is no sum.
    ///   - operand: where what lies in memory is found; nil for what only these nodes read.
    ///   - isMerged: whether a sum is one over units.
    init(
        _ nodes: [Node], units: Int, unitsPerShard: Int, groups: Int,
        isMerged: (Node) -> Bool, _ operand: (Tensor, _ reader: Node?) -> Operand?
    ) {
        let units = max(units, 1)
        let (walk, strides) = Self.walk(nodes, units: units)
        self.walk = walk
        let tileRow = Walk.tile(rows: walk.rows, length: walk.extents(units: unitsPerShard).length)
            .length

        var tiles: [Tensor: Int] = [:]
        var free: [Int] = []
        var count = 0
        var next = 0
        func place(_ tensor: Tensor, _ reader: Node?, _ strides: [Int]) -> Place {
            if let tile = tiles[tensor] { return Place(tile: tile, row: tileRow, element: 1) }
            return Place(
                operand: operand(tensor, reader), outer: strides[0], row: strides[1],
                element: strides[2] == 0 ? 0 : 1)
        }
        var made: [Step] = []
        var sums: [TileSum] = []
        var (merged, unmerged): ([GroupPartials], [GroupPartials]) = ([], [])
        for (index, node) in nodes.enumerated() {
            let places = node.inputs.map { input -> Place in
                defer { next += 1 }
                return place(input, node, strides[next])
            }
            // A step may write where it reads: what nobody reads any more is free before its result is
            // placed.
            for input in Set(node.inputs) {
                guard let tile = tiles[input],
                    !nodes[(index + 1)...].contains(where: { $0.inputs.contains(input) })
                else { continue }
                free.append(tile)
            }
            if node.operation is Sum {
                let isMerged = isMerged(node)
                let count = node.outputs[0].shape.elementCount / (isMerged ? 1 : units)
                let partials = GroupPartials(
                    groups: groups, length: isMerged ? count : count * unitsPerShard)
                if isMerged { merged.append(partials) } else { unmerged.append(partials) }
                sums.append(
                    TileSum(
                        strides[next], sumsPerUnit: count, isMerged: isMerged, partials,
                        operand(node.tensor, nil)!))
                next += 1
                made.append(Step(a: places[0], work: .sum(sums[sums.count - 1])))
                continue
            }
            if operand(node.tensor, nil) == nil {
                if free.isEmpty {
                    free.append(count)
                    count += 1
                }
                tiles[node.tensor] = free.removeLast()
            }
            made.append(
                Step(
                    a: places[0],
                    work: .function(
                        node.elementwiseLoop!, b: places.count > 1 ? places[1] : nil,
                        y: place(node.tensor, nil, strides[strides.count - 1]))))
        }
        tileCount = count
        (self.merged, self.unmerged) = (merged, unmerged)
        self.sums = .allocate(capacity: sums.count)
        _ = self.sums.initialize(from: sums)
        steps = .allocate(capacity: made.count)
        _ = steps.initialize(from: made)
    }

    deinit {
        sums.deallocate()
        steps.deallocate()
    }

    /// The extents for one unit, and each operand's strides along them.
    private static func walk(_ nodes: [Node], units: Int) -> (Walk, strides: [[Int]]) {
        let merged = axes(nodes)
        var extents = merged.extents
        let operandCount = nodes.reduce(1) { $0 + $1.inputs.count + ($1.operation is Sum ? 1 : 0) }
        var strides = (0..<operandCount).map { index in merged.strides.map { $0[index] } }
        if extents.isEmpty {
            extents = [1]
            strides = [[Int]](repeating: [1], count: operandCount)
        }
        // Where there are fewer than three axes, those in front have one step.
        let missing = 3 - extents.count
        extents[0] /= units
        extents = [Int](repeating: 1, count: missing) + extents
        strides = strides.map { [Int](repeating: 0, count: missing) + $0 }
        return (
            Walk(outer: extents[0], rows: extents[1], length: extents[2], unitAxis: missing),
            strides
        )
    }

    override var workspaceBytes: Int {
        tileCount * Self.tileElements * ElementType.float32.byteCount
    }

    override func run(_ task: ShardTask) {
        for sum in sums { sum.open(task) }
        let extents = walk.extents(units: task.count)
        let tile = Walk.tile(rows: extents.rows, length: extents.length)
        for outer in 0..<extents.outer {
            var row = 0
            while row < extents.rows {
                let rows = min(tile.rows, extents.rows - row)
                var element = 0
                while element < extents.length {
                    let length = min(tile.length, extents.length - element)
                    for step in steps {
                        run(step, task, (outer, row, element), rows: rows, length: length)
                    }
                    element += length
                }
                row += rows
            }
        }
        for sum in sums { sum.close(task) }
    }

    override func finish(_ task: ShardTask) {
        for partials in merged { partials.addInTree() }
        for sum in sums { sum.finish(task) }
    }

    @inline(__always)
    private func run(
        _ step: Step, _ task: ShardTask, _ at: (Int, Int, Int), rows: Int, length: Int
    ) {
        let a = UnsafePointer(address(step.a, task, at))
        switch step.work {
        case .sum(let sum): sum.add(a, task, at, rows: rows, length: length)
        case .function(let loop, nil, let y): loop.run(a, address(y, task, at), rows * length)
        case .function(let loop, let place?, let result):
            let y = address(result, task, at)
            let b = UnsafePointer(address(place, task, at))
            let (stepsA, stepsB) = (steps(step.a), steps(place))
            // Without gaps it is all one row.
            let isFlat =
                rows == 1
                || (stepsA.element == 1 && stepsA.row == length && stepsB.element == 1
                    && stepsB.row == length)
            if isFlat {
                loop.run(a, stepsA, b, stepsB, y, 1, rows * length)
            } else {
                loop.run(a, stepsA, b, stepsB, y, rows, length)
            }
        }
    }

    @inline(__always)
    private func steps(_ place: Place) -> BroadcastRuns.Steps {
        BroadcastRuns.Steps(row: place.row, element: Int32(place.element))
    }

    @inline(__always)
    private func address(
        _ place: Place, _ task: ShardTask, _ at: (outer: Int, row: Int, element: Int)
    ) -> UnsafeMutablePointer<Float> {
        if let operand = place.operand {
            return operand.pointer(task, as: Float.self)
                + (at.outer * place.outer + at.row * place.row + at.element * place.element)
        }
        return task.workspace.assumingMemoryBound(to: Float.self) + place.tile * Self.tileElements
    }
}
