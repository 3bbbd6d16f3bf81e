import Arrays
import COneDNN
import Graph

/// What follows a convolution of a folded model (a residual added, ReLU) is done by its primitive when it
/// stores.
///
/// The primitive's ReLU takes NaN for 0, as ours does not: this is for steps whose inputs are known to be
/// finite; see ``FastStep``.
struct FuseConvolutionOutput: Rewrite {
    let name = "convolution + bias + residual + activation"

    func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        switch node.operation {
        case let binary as Binary where binary == Binary(.add):
            let sides = node.inputs
            guard sides[0].spec == sides[1].spec, sides[0] != sides[1] else { return nil }
            // Of two convolutions the larger: it is the branch, the other one the projection beside it.
            let candidates = sides.indices.filter { plain(sides[$0], context) != nil }
                .sorted { weight(sides[$0]) > weight(sides[$1]) }
            guard let side = candidates.first else { return nil }
            return PackedConvolution.extended(sides[side], by: [sides[1 - side]]) {
                $0.addsResidual = true
            }
        case let unary as Unary:
            guard let activation = FusedActivation(unary.function),
                let convolution = node.inputs[0].node.operation as? PackedConvolution,
                convolution.problem.direction == .forward,
                convolution.problem.activation == .identity, context.isUsedOnce(node.inputs[0])
            else { return nil }
            return PackedConvolution.extended(node.inputs[0]) { $0.activation = activation }
        default: return nil
        }
    }

    /// A convolution that nothing has been added to and nothing else uses.
    private func plain(_ tensor: Tensor, _ context: RewriteContext) -> PackedConvolution? {
        guard let convolution = tensor.node.operation as? PackedConvolution,
            convolution.problem.direction == .forward, !convolution.problem.addsResidual,
            convolution.problem.activation == .identity, context.isUsedOnce(tensor)
        else { return nil }
        return convolution
    }

    private func weight(_ tensor: Tensor) -> Int {
        (tensor.node.operation as? PackedConvolution)?.problem.weight.elementCount ?? 0
    }
}
