import Arrays
import Graph

/// Elementwise operations over one shape, run together tile by tile; see ``ElementwiseTiles``.
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

    private struct Step {
        let loop: ElementwiseLoop
        let a: Place
        /// Nil for functions of one argument.
        let b: Place?
        let y: Place
    }

    private let steps: UnsafeMutableBufferPointer<Step>
    private let tileCount: Int
    /// The result as [outer, rows, length], the outer axis for one unit.
    private let outerPerUnit, rows, length: Int
    /// The extents of a tile.
    private let tileRows, tileLength: Int

    /// Whether the nodes' operands can be walked together: as three axes at most.
    static func fits(_ nodes: [Node]) -> Bool { axes(nodes).extents.count <= 3 }

    private static func axes(_ nodes: [Node]) -> BroadcastAxes {
        BroadcastAxes(
            nodes.flatMap(\.inputs).map(\.shape) + [nodes[0].outputs[0].shape],
            in: nodes[0].outputs[0].shape)
    }

    /// - Parameters:
    ///   - nodes: those that run together, inputs before their readers.
    ///   - operand: where what lies in memory is found; nil for what only these nodes read.
    init(_ nodes: [Node], units: Int, _ operand: (Tensor, _ reader: Node?) -> Operand?) {
        let merged = Self.axes(nodes)
        var extents = merged.extents
        // For each operand, and last for the result, the strides along [outer, rows, length].
        let operandCount = nodes.reduce(1) { $0 + $1.inputs.count }
        var strides = (0..<operandCount).map { index in merged.strides.map { $0[index] } }
        if extents.isEmpty {
            extents = [1]
            strides = [[Int]](repeating: [1], count: operandCount)
        }
        let units = max(units, 1)
        if extents.count < 3 {
            // Units become the outer axis.
            let first = extents[0] / units
            strides = strides.map { [$0[0] * first] + $0 }
            extents = [units, first] + extents.dropFirst()
        }
        if extents.count < 3 {
            strides = strides.map { [$0[0], 0, $0[1]] }
            extents.insert(1, at: 1)
        }
        outerPerUnit = extents[0] / units
        (rows, length) = (extents[1], extents[2])
        tileLength = max(1, min(length, Self.tileElements))
        tileRows = tileLength < length ? 1 : max(1, Self.tileElements / tileLength)

        var tiles: [Tensor: Int] = [:]
        var free: [Int] = []
        var count = 0
        var next = 0
        let (tileRow, result) = (tileLength, strides[strides.count - 1])
        func place(_ tensor: Tensor, _ reader: Node?, _ strides: [Int]) -> Place {
            if let tile = tiles[tensor] { return Place(tile: tile, row: tileRow, element: 1) }
            return Place(
                operand: operand(tensor, reader), outer: strides[0], row: strides[1],
                element: strides[2] == 0 ? 0 : 1)
        }
        var made: [Step] = []
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
            if operand(node.tensor, nil) == nil {
                if free.isEmpty {
                    free.append(count)
                    count += 1
                }
                tiles[node.tensor] = free.removeLast()
            }
            made.append(
                Step(
                    loop: node.elementwiseLoop!, a: places[0],
                    b: places.count > 1 ? places[1] : nil, y: place(node.tensor, nil, result)))
        }
        tileCount = count
        steps = .allocate(capacity: made.count)
        _ = steps.initialize(from: made)
    }

    deinit { steps.deallocate() }

    override var workspaceBytes: Int {
        tileCount * Self.tileElements * ElementType.float32.byteCount
    }

    override func run(_ task: ShardTask) {
        for outer in 0..<(outerPerUnit * task.count) {
            var row = 0
            while row < rows {
                let rowCount = min(tileRows, rows - row)
                var element = 0
                while element < length {
                    let count = min(tileLength, length - element)
                    for step in steps {
                        run(step, task, (outer, row, element), rows: rowCount, length: count)
                    }
                    element += count
                }
                row += rowCount
            }
        }
    }

    @inline(__always)
    private func run(
        _ step: Step, _ task: ShardTask, _ at: (Int, Int, Int), rows: Int, length: Int
    ) {
        let y = address(step.y, task, at)
        let a = UnsafePointer(address(step.a, task, at))
        guard let place = step.b else {
            step.loop.run(a, y, rows * length)
            return
        }
        let b = UnsafePointer(address(place, task, at))
        let (stepsA, stepsB) = (steps(step.a), steps(place))
        // Without gaps it is all one row.
        let isFlat =
            rows == 1
            || (stepsA.element == 1 && stepsA.row == length && stepsB.element == 1
                && stepsB.row == length)
        if isFlat {
            step.loop.run(a, stepsA, b, stepsB, y, 1, rows * length)
        } else {
            step.loop.run(a, stepsA, b, stepsB, y, rows, length)
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
