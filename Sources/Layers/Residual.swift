import Graph

/// A branch with a shortcut around it: `branch(x) + shortcut(x)`, or `branch(x) + x` (He et al. 2016).
///
/// Both must give the same shape. What comes behind the sum, such as ReLU, is a layer of its own.
public final class Residual: Module {
    public let branch: Sequential
    /// Brings the input to the branch's shape; nil for the input itself.
    public let shortcut: Sequential?

    public init(branch: Sequential, shortcut: Sequential? = nil) {
        self.branch = branch
        self.shortcut = shortcut
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        let result = branch(input, context)
        let other = shortcut.map { $0(input, context) } ?? input
        guard result.shape == other.shape else {
            fail(
                context,
                "the branch gives \(result.shape), the shortcut \(other.shape); they must be alike")
        }
        return result + other
    }
}
