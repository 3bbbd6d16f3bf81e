import Arrays
import Graph

/// Which elementwise operations of a segment run together, tile by tile, and which sums are taken on the
/// way: what one makes is read by the next while it is in the fastest cache, and what nothing else reads
/// is never stored.
///
/// The arithmetic of elementwise results and its order are those of one operation after the other, so the
/// bits are too.
struct ElementwiseTiles {
    /// A segment's nodes in the order in which they run; several in one entry run together.
    private(set) var groups: [[Node]] = []

    /// More than this do not run together: what a tile of a group needs, and planning it, grows with its
    /// length.
    private static let longestGroup = 128

    /// - Parameters:
    ///   - nodes: of one segment, inputs before their readers.
    ///   - gated: those of them that run together in another way, from the place of their first on.
    init(
        _ nodes: [Node], _ schedule: Schedule, gated: [GatedSums],
        excluding excluded: (Node) -> Bool
    ) {
        var gatedNodes: [Node: [Node]] = [:]
        for together in gated.map(\.nodes) {
            for node in together { gatedNodes[node] = together }
        }
        var places: [Node: Int] = [:]
        var latest: [Shape: Int] = [:]
        for node in nodes {
            if let together = gatedNodes[node] {
                if node == together.first {
                    for member in together { places[member] = groups.count }
                    groups.append(together)
                }
                continue
            }
            let isSum = node.isSumOfFloats
            let shape = isSum ? node.inputs[0].shape : node.outputs[0].shape
            let canJoin = !excluded(node) && (isSum || node.elementwiseLoop != nil)
            if canJoin, let index = latest[shape], groups[index].count < Self.longestGroup,
                node.inputs.allSatisfy({ input in
                    // What reads another member reads it as it is, not reshaped, and waits for a sum.
                    let maker = schedule.base(input).node
                    let place = places[maker] ?? -1
                    return place < index
                        || (place == index && schedule.base(input) == input && !maker.isSumOfFloats)
                }), ElementwiseTilesKernel.fits(groups[index] + [node])
            {
                groups[index].append(node)
                places[node] = index
                continue
            }
            if canJoin, !isSum, ElementwiseTilesKernel.fits([node]) {
                latest[shape] = groups.count
            }
            places[node] = groups.count
            groups.append([node])
        }
    }
}

extension Node {
    /// The loop of an elementwise operation over float32; nil for anything else.
    var elementwiseLoop: ElementwiseLoop? {
        guard outputs.count == 1, outputs[0].type == .float32,
            inputs.allSatisfy({ $0.elementType == .float32 })
        else { return nil }
        return switch operation {
        case let unary as Unary: unary.loop
        case let binary as Binary: binary.loop
        default: nil
        }
    }

    var isSumOfFloats: Bool { operation is Sum && outputs[0].type == .float32 }
}
