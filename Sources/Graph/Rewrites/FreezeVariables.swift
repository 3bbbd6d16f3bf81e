/// Variables become constants of the values they have now.
public struct FreezeVariables: Rewrite {
    public let name = "variables as constants"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        (node.operation as? VariableLeaf).map { [Tensor($0.variable.value)] }
    }
}
