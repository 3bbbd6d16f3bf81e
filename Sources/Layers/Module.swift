import Arrays
import Graph

/// A part of a network: a layer, a block of layers, a whole model.
///
/// Override ``call(_:_:)`` and keep parameters, states and other modules in stored properties. They are
/// found by reflection (also in arrays, optionals and dictionaries, and in superclasses), and the names of
/// the properties become the names in checkpoints: `layers.1.running_mean`.
///
///     final class Residual: Module {
///         let norm = BatchNorm(64)
///         let dense = Dense(64, 64)
///         override func call(_ input: Tensor, _ context: Context) -> Tensor {
///             input + dense(norm(input, context).relu(), context)
///         }
///     }
///
/// A module is a description with cells for its values; it belongs to one thread and is not Sendable.
open class Module {
    /// What has taken this module's place; see ``replacing(_:_:)``.
    public internal(set) final var replacement: Module?

    public init() {}

    /// What the module computes. Call other modules with the same `context`.
    ///
    /// Do not call this from outside: `module(input)` and `module(input, context)` also keep track of
    /// where in the model they are, for messages and random streams.
    open func call(_ input: Tensor, _ context: Context) -> Tensor {
        preconditionFailure("\(Self.self) does not override call(_:_:)")
    }

    /// The parts to be found, with the last components of their names. The default reflects the stored
    /// properties; override it only to choose other names.
    open func members() -> [(name: String, member: Member)] { reflectedMembers(of: self) }

    /// Applies the module for inference.
    public final func callAsFunction(_ input: Tensor) -> Tensor { self(input, Context(.inference)) }

    /// Applies the module in a context. The first module called with a new context is its root: paths in
    /// messages start from it.
    public final func callAsFunction(_ input: Tensor, _ context: Context) -> Tensor {
        guard let replacement else {
            let inner = context.entering(self)
            let output = call(input, inner)
            context.calls?.moduleWasCalled(self, path: inner.path, input: input, output: output)
            return output
        }
        // A replacement may itself use what it has replaced.
        self.replacement = nil
        defer { self.replacement = replacement }
        return replacement(input, context)
    }

    /// A part of a module, as ``members()`` finds it.
    public enum Member {
        case module(Module)
        case parameter(Parameter)
        case state(State)
    }
}

extension Module {
    /// Stops with a sentence that starts with where the module is and what it is.
    public func fail(_ context: Context, _ message: String) -> Never {
        preconditionFailure("\(context.label): \(message)")
    }
}
