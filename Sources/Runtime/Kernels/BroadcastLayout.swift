import Arrays
import Graph

/// How an operand of an elementwise operation lies against the result, when it is one of the simple cases.
enum BroadcastLayout: Equatable {
    /// Element by element.
    case same
    /// One element for all.
    case scalar
    /// A row that repeats: the operand has the result's trailing `length` elements.
    case row(length: Int)
    /// One element for each run of `length` elements of the result.
    case runs(length: Int)

    /// nil when the operand broadcasts in another way.
    init?(_ operand: Shape, in result: Shape) {
        if operand.elementCount == 1 {
            self = result.elementCount == 1 ? .same : .scalar
            return
        }
        if operand == result {
            self = .same
            return
        }
        let padded = Array(repeating: 1, count: result.rank - operand.rank) + operand.dimensions
        // Equal up to some axis, extent 1 from there on.
        if let split = padded.indices.first(where: { padded[$0] != result[$0] }) {
            if padded[split...].allSatisfy({ $0 == 1 }) {
                self = .runs(length: result[split...].reduce(1, *))
                return
            }
            let start = padded.firstIndex { $0 != 1 }!
            if padded[start...].elementsEqual(result[start...]) {
                self = .row(length: padded[start...].reduce(1, *))
                return
            }
        }
        return nil
    }

    /// The operand's element that belongs to the result's element `i`.
    @inline(__always)
    func index(_ i: Int) -> Int {
        switch self {
        case .same: i
        case .scalar: 0
        case .row(let length): i % length
        case .runs(let length): i / length
        }
    }
}
