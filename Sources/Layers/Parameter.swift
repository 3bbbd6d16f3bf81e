import Arrays
import Graph
import Synchronization

/// A cell for numbers to be learned: a weight, a bias, a scale.
public final class Parameter {
    /// What a parameter is for. Weight decay is usually meant for weights only.
    public enum Role: String, Sendable, CaseIterable {
        case weight
        case bias
        /// gamma and beta of a normalization
        case scale, shift
    }

    public let shape: Shape
    public let role: Role
    public package(set) var initializer: Initializer
    /// The numbers of inputs and outputs that the initializer reckons with.
    public let fans: Fans
    /// The last component of the name in checkpoints; nil takes the property's name.
    public let name: String?

    /// Whether optimizers update this parameter.
    public var isTrainable = true

    private var type: ElementType = .float32
    private var storage: Variable?
    /// Distinguishes parameters that are used before ``Module/initialize(seed:)``.
    private let order: UInt64
    private static let nextOrder = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - name: the last component of the name in checkpoints; nil takes the property's name.
    ///   - fans: nil reckons with `shape` as `[outputs, inputs...]`.
    public init(
        _ shape: Shape, role: Role = .weight, initializer: Initializer, fans: Fans? = nil,
        name: String? = nil
    ) {
        self.shape = shape
        self.role = role
        self.initializer = initializer
        self.fans = fans ?? Fans(shape)
        self.name = name
        order = Parameter.nextOrder.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// The graph's cell. Unless ``Module/initialize(seed:)`` was called, it is initialized when first
    /// asked for, from a seed that depends on the order in which parameters were made.
    public var variable: Variable {
        if let storage { return storage }
        initialize(seed: 0, name: "#\(order)")
        return storage!
    }

    /// The value as a tensor; see `Variable.tensor`.
    public var tensor: Tensor { substitute ?? variable.tensor }

    /// What takes the value's place while a reparametrized layer runs.
    var substitute: Tensor?

    /// Where the first value follows from another parameter's instead of the initializer.
    var derived: (() -> NDArray)?

    /// The present value. Setting traps unless shape and type stay the same.
    public var value: NDArray {
        get { variable.value }
        set { variable.value = newValue }
    }

    /// Draws the value anew. It depends only on the seed, the name and the shape.
    public func initialize(seed: UInt64, name: String) {
        let philox = Philox(key: seed).derived(stableHash(name))
        let drawn = derived?() ?? initializer.values(shape, fans: fans, philox: philox)
        let value = drawn.converted(to: type)
        if let storage { storage.value = value } else { storage = Variable(value) }
    }

    /// Changes the element type. Steps that were compiled before still hold the old cell.
    public func convert(to type: ElementType) {
        guard type != self.type else { return }
        self.type = type
        storage = storage.map { Variable($0.value.converted(to: type)) }
    }
}

/// A hash of a text that is the same in every run (FNV-1a).
public func stableHash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
