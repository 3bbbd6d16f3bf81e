import EvenKeel

/// The tensors of an input file of `evenkeel layer`, checked as they are asked for.
struct LayerTensors {
    private let file: Safetensors
    let x: NDArray
    /// The gradient of y, in x's type.
    let dy: NDArray?

    init(_ path: String) throws {
        file = try Safetensors(contentsOf: path)
        guard file.contains("x") else {
            throw LayerInputError("\(path): expected a tensor named 'x', found none")
        }
        let x = try file.array("x")
        guard x.elementType.isFloatingPoint else {
            throw LayerInputError(
                "x: expected floating-point numbers, found \(x.elementType)")
        }
        guard x.shape.rank > 0 else {
            throw LayerInputError("x: expected at least one axis, found a single number")
        }
        // What an empty tensor takes of its file says nothing about what its layer's parameters take.
        let others = checkedElementCount(x.shape.filter { $0 > 0 }) ?? .max
        guard x.elementCount > 0 || others <= Self.largestEmptyExtent else {
            throw LayerInputError("x: \(x.shape) is empty, and too large otherwise")
        }
        self.x = x
        dy = try file.contains("dy") ? file.array("dy") : nil
        if let dy {
            guard dy.elementType.isFloatingPoint, dy.shape == x.shape else {
                throw LayerInputError(
                    "dy: expected floating-point numbers of x's shape \(x.shape), found "
                        + "\(dy.elementType)\(dy.shape)")
            }
        }
    }

    /// The product of an empty tensor's other extents.
    private static let largestEmptyExtent = 1 << 22

    /// The type of parameters and statistics.
    var wideType: ElementType { x.elementType == .float64 ? .float64 : .float32 }

    /// A floating-point tensor of a known shape, or nil when there is none.
    func numbers(_ name: String, _ shape: Shape) throws -> NDArray? {
        guard file.contains(name) else { return nil }
        let array = try file.array(name)
        guard array.elementType.isFloatingPoint, array.shape == shape else {
            throw LayerInputError(
                "\(name): expected floating-point numbers of shape \(shape), found "
                    + "\(array.elementType)\(array.shape)")
        }
        return array
    }

    /// A count, or nil when there is none.
    func count(_ name: String) throws -> NDArray? {
        guard file.contains(name) else { return nil }
        let array = try file.array(name)
        guard array.elementType == .int64 || array.elementType == .int32, array.elementCount == 1
        else {
            throw LayerInputError(
                "\(name): expected one whole number, found \(array.elementType)\(array.shape)")
        }
        let value: Int64 = array.elements()[0]
        guard value >= 0 else {
            throw LayerInputError("\(name): expected a count, found \(value)")
        }
        return NDArray(scalar: value)
    }

    /// What counts (1) and what does not (0) at each position of x, in the type of statistics.
    func mask(channelAxis: Int) throws -> NDArray? {
        guard file.contains("mask") else { return nil }
        let array = try file.array("mask")
        let shape = x.shape.reduced(over: [channelAxis], keepingDimensions: false)
        guard array.elementType == .uint8 || array.elementType == .bool, array.shape == shape else {
            throw LayerInputError(
                "mask: expected uint8 of x's shape without the channel axis, \(shape), found "
                    + "\(array.elementType)\(array.shape)")
        }
        let values: [Double] = array.elements()
        return NDArray(values.map { $0 != 0 ? 1 : 0 }, shape: shape).converted(to: wideType)
    }

    var hasMask: Bool { file.contains("mask") }
    func contains(_ name: String) -> Bool { file.contains(name) }
}
