import Graph
import Layers
import Models
import Training

/// A network of dense layers with shortcuts, to ask where a normalizer belongs in a residual block.
package struct ResidualDescription: Hashable, Sendable {
    enum Order: String, Hashable, Sendable {
        /// dense, norm, activation, dense, norm, add, activation (He et al. 2016, "Deep residual learning").
        case postActivation
        /// norm, activation, dense, norm, activation, dense, add (He et al. 2016, "Identity mappings").
        case preActivation
    }

    var blocks: Int
    var width: Int
    var order: Order

    func make(inputs: Int, classes: Int, norm: NormKind) -> Module {
        let normalizer = norm.normalizer
        func dense(_ inputs: Int) -> Module {
            Dense(inputs, width, bias: normalizer.wantsBias, initializer: .heNormal)
        }
        func layer() -> [Module] { normalizer.layer(width).map { [$0] } ?? [] }
        let body = (0..<blocks).map { _ in
            switch order {
            case .postActivation:
                Sequential([
                    DenseShortcut([dense(width)] + layer() + [ReLU(), dense(width)] + layer()),
                    ReLU(),
                ])
            case .preActivation:
                Sequential([
                    DenseShortcut(
                        layer() + [ReLU(), dense(width)] + layer() + [ReLU(), dense(width)])
                ])
            }
        }
        let stem: [Module] =
            [Flatten(), dense(inputs)] + (order == .postActivation ? layer() + [ReLU()] : [])
        let tail: [Module] = order == .preActivation ? layer() + [ReLU()] : []
        return norm.put(into: Sequential(stem + body + tail + [Dense(width, classes)]))
    }
}

/// `x + branch(x)`.
private final class DenseShortcut: Module {
    let branch: Sequential

    init(_ branch: [Module]) {
        self.branch = Sequential(branch)
        super.init()
    }

    override func call(_ input: Tensor, _ context: Context) -> Tensor {
        input + branch(input, context)
    }
}
