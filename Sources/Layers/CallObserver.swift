import Graph

/// Is told of the modules that are called while it is in the ``Context``, with what goes in and comes out.
/// Override ``moduleWasCalled(_:path:input:output:)``.
///
/// Inside a step the tensors are part of the step's graph: what is made of them can be returned by the
/// step's body, and is then computed with it.
open class CallObserver {
    public init() {}

    /// A module has been called; those within it have been told of before.
    ///
    /// - Parameter path: where it is in the model, such as `layers.1`; empty for the root.
    open func moduleWasCalled(_ module: Module, path: String, input: Tensor, output: Tensor) {}
}
