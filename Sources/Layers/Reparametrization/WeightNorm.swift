import Arrays
import Graph

/// Weight normalization (Salimans and Kingma 2016): each unit's weight is a direction and a magnitude,
/// `w = g v / |v|`. The magnitude is `weight_g` in checkpoints, the direction keeps the name `weight`.
public final class WeightNorm: Reparametrized {
    /// `[units]`; starts as the lengths of the initial weights, so that nothing changes at first.
    public let magnitude: Parameter

    override public init(_ layer: Module, weight name: String = "weight") {
        var direction: Parameter?
        magnitude = Parameter([Self.units(layer, name)], role: .scale, initializer: .ones)
        super.init(layer, weight: name)
        direction = raw
        magnitude.derived = { Self.lengths(direction!.value) }
    }

    private static func units(_ layer: Module, _ name: String) -> Int {
        for case (name, .parameter(let parameter)) in layer.members() where parameter.shape.rank > 0
        {
            return parameter.shape[0]
        }
        return 1
    }

    override public var ownMembers: [(name: String, member: Module.Member)] {
        [("weight_g", .parameter(magnitude))]
    }

    override public func weight(_ raw: Tensor, _ context: Context) -> Tensor {
        Self.weight(direction: raw, magnitude: magnitude.tensor)
    }

    /// `g v / |v|` for each unit; a direction of length 0 gives 0.
    public static func weight(direction: Tensor, magnitude: Tensor) -> Tensor {
        direction.overUnits { v in
            let squares = v.groupMeanSquare(axis: 1) * Double(v.shape[1])
            let inverse = inverseDeviation(squares, epsilon: 0)
            let g = magnitude.cast(to: .float64).reshape([v.shape[0], 1])
            return v.groupScale(axis: 1, scale: inverse * g)
        }
    }

    /// The length of each unit's weight.
    public static func lengths(_ weight: NDArray) -> NDArray {
        let units = weight.shape[0]
        let values: [Double] = weight.elements()
        let size = units > 0 ? values.count / units : 0
        return NDArray(
            (0..<units).map { unit in
                let row = values[(unit * size)..<((unit + 1) * size)]
                let largest = row.reduce(0) { max($0, abs($1)) }
                guard largest > 0, largest.isFinite else { return largest }
                return largest * row.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
            })
    }
}
