import Arrays
import Graph

/// What a module must know about the call it is in. Explicit, so that nothing depends on a global mode.
public struct Context {
    public enum Mode: String, Sendable {
        /// Batch statistics, dropout, proposals of new running statistics.
        case training
        /// Running statistics, nothing random, nothing proposed.
        case inference
    }

    public let mode: Mode

    /// Seeds what layers draw while training.
    public var seed: UInt64

    /// The number of the training step, an int64 scalar. With the seed, the layer and a sample's index it
    /// determines what a layer draws for that sample.
    public var step: Tensor?

    /// The index of each sample of the batch in the whole data set, `[samples]`. Nil numbers the samples
    /// of the batch from 0.
    public var sampleIndices: Tensor?

    /// Where in the model the present module is, such as `layers.1`; empty for the root.
    public private(set) var path = ""

    /// Path and type of the present module, such as `layers.1 BatchNorm`: how messages begin.
    public private(set) var label = ""

    /// Collects what would stop a training, instead of stopping at it; see ``Diagnosis``.
    public var diagnosis: Diagnosis?

    /// Told of every module that is called.
    public var calls: CallObserver?

    /// Told of the batch norms that are reached; see ``Module/recalibrate(_:workers:)``.
    var observer: MomentObserver?

    private var paths: [ObjectIdentifier: String]?

    public init(
        _ mode: Mode, seed: UInt64 = 0, step: Tensor? = nil, sampleIndices: Tensor? = nil
    ) {
        self.mode = mode
        self.seed = seed
        self.step = step
        self.sampleIndices = sampleIndices
    }

    public var isTraining: Bool { mode == .training }

    /// What a model says about an input before anything is trained on it: whoever takes data from outside
    /// asks first, and gets sentences where a training would trap.
    public final class Diagnosis {
        public internal(set) var problems: [String] = []
        public init() {}
    }

    /// The same context inside a module.
    func entering(_ module: Module) -> Context {
        var inner = self
        if paths == nil {
            inner.paths = Dictionary(
                uniqueKeysWithValues: module.namedModules.map { (ObjectIdentifier($1), $0) })
        }
        let type = "\(Swift.type(of: module))"
        inner.path = inner.paths?[ObjectIdentifier(module)] ?? path
        inner.label = inner.path.isEmpty ? type : "\(inner.path) \(type)"
        return inner
    }
}
