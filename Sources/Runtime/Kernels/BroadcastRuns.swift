import Arrays

/// The axes of an elementwise result, with how far each operand advances along them.
///
/// Axes of extent 1 vanish, and neighbours on which all operands run on, or stand, become one: what is
/// left are as few axes as tell the whole of a broadcast, none where there is a single element.
struct BroadcastAxes {
    private(set) var extents: [Int] = []
    /// For each axis, the operands' strides: 0 where one stands.
    private(set) var strides: [[Int]] = []

    init(_ operands: [Shape], in result: Shape) {
        let all = operands.map { operand in
            [Int](repeating: 0, count: result.rank - operand.rank)
                + zip(operand, operand.strides).map { $0 == 1 ? 0 : $1 }
        }
        for (axis, extent) in result.enumerated() where extent != 1 {
            let next = all.map { $0[axis] }
            if let last = strides.last, zip(last, next).allSatisfy({ $0 == $1 * extent }) {
                extents[extents.count - 1] *= extent
                strides[strides.count - 1] = next
            } else {
                extents.append(extent)
                strides.append(next)
            }
        }
    }
}

/// How two operands of an elementwise operation lie against the result, whatever their shapes: runs of
/// the result in which each operand is an array or one number, in rows at constant distances.
struct BroadcastRuns {
    /// How far an operand advances.
    struct Steps: Hashable {
        /// From row to row.
        var row: Int
        /// From element to element: 1, or 0 for one number.
        var element: Int32
    }

    /// Elements in a run.
    let length: Int
    let a, b: Steps
    /// Axes around the runs, outermost first; the last are the rows.
    private let outer: [Axis]
    private let units: Int

    private struct Axis {
        var extent: Int
        var a, b: Int
    }

    /// - Parameter units: into how many equal parts the result's first axis is cut; nil for none.
    init(_ a: Shape, _ b: Shape, units: Int?) {
        let merged = BroadcastAxes([a, b], in: Shape.broadcast(a, b)!)
        var axes = zip(merged.extents, merged.strides).map {
            Axis(extent: $0, a: $1[0], b: $1[1])
        }
        self.units = max(units ?? 1, 1)
        // The first axis is cut, so a lone one is rows of what a unit has of it.
        if axes.count < 2 {
            let whole = axes.first ?? Axis(extent: 1, a: 1, b: 1)
            let part = whole.extent / self.units
            axes = [
                Axis(extent: self.units, a: whole.a * part, b: whole.b * part),
                Axis(extent: part, a: whole.a, b: whole.b),
            ]
        }
        let run = axes.removeLast()
        length = run.extent
        self.a = Steps(row: axes[axes.count - 1].a, element: run.a == 0 ? 0 : 1)
        self.b = Steps(row: axes[axes.count - 1].b, element: run.b == 0 ? 0 : 1)
        outer = axes
    }

    /// Calls with the offsets of the operands and of the result, and how many rows follow from there.
    @inline(__always)
    func forEach(units count: Int, _ body: (_ a: Int, _ b: Int, _ y: Int, _ rows: Int) -> Void) {
        var y = 0
        func walk(_ axis: Int, _ a: Int, _ b: Int) {
            let extent = axis == 0 ? outer[0].extent / units * count : outer[axis].extent
            if axis == outer.count - 1 {
                body(a, b, y, extent)
                y += extent * length
                return
            }
            for index in 0..<extent {
                walk(axis + 1, a + index * outer[axis].a, b + index * outer[axis].b)
            }
        }
        walk(0, 0, 0)
    }
}
