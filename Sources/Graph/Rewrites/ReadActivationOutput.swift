/// The gradient of ReLU is read off its output, which the next layer keeps for its weight's gradient
/// anyway: the argument need not be. Behind a normalization the argument is made again from what that
/// keeps, unless a residual is added.
public struct ReadActivationOutput: Rewrite {
    public let name = "ReLU's gradient from its output"

    /// The output of each activation, by its argument.
    private var outputs: [Tensor: Tensor] = [:]

    public init() {}

    public mutating func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        // With a slope of 0 or more the output is positive just where the argument is.
        if let unary = node.operation as? Unary, case .leakyReLU(let slope) = unary.function,
            slope >= 0,
            NormalizedSum(node.inputs[0])?.residuals.isEmpty != true
        {
            outputs[node.inputs[0]] = node.tensor
        }
        guard let binary = node.operation as? Binary, case .leakyReLUGradient = binary.function,
            let output = outputs[node.inputs[1]]
        else { return nil }
        return Node(binary, [node.inputs[0], output]).tensors
    }
}
