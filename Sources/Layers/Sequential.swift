import Graph

/// Layers one after another. Their names are their positions: `1.running_mean`.
///
///     Sequential {
///         Dense(784, 128)
///         BatchNorm(128)
///         ReLU()
///         Dense(128, 10)
///     }
public final class Sequential: Module {
    public let layers: [Module]

    public init(_ layers: [Module]) {
        self.layers = layers
        super.init()
    }

    public convenience init(@LayerBuilder _ layers: () -> [Module]) { self.init(layers()) }

    override public func members() -> [(name: String, member: Module.Member)] {
        layers.enumerated().map { ("\($0)", .module($1)) }
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        layers.reduce(input) { $1($0, context) }
    }
}

/// Builds lists of layers, with `if`, `if let` and `for`.
@resultBuilder
public enum LayerBuilder {
    public static func buildExpression(_ layer: Module) -> [Module] { [layer] }
    public static func buildExpression(_ layers: [Module]) -> [Module] { layers }
    public static func buildBlock(_ parts: [Module]...) -> [Module] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [Module]?) -> [Module] { part ?? [] }
    public static func buildEither(first part: [Module]) -> [Module] { part }
    public static func buildEither(second part: [Module]) -> [Module] { part }
    public static func buildArray(_ parts: [[Module]]) -> [Module] { parts.flatMap { $0 } }
}
