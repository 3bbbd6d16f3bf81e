import Arrays
import OrderedCollections
import Synchronization

/// A named cell whose value lasts from step to step: a parameter, a running statistic, a moment of an
/// optimizer.
///
/// Inside a traced step, reading gives a leaf of the step's graph and assigning proposes a new value,
/// which the step commits or drops as a whole. Outside, reading gives the present value as data.
public final class Variable: Sendable {
    public let spec: TensorSpec
    private let state: Mutex<(value: NDArray, version: UInt64)>

    public init(_ value: NDArray) {
        spec = TensorSpec(value.shape, value.elementType)
        state = Mutex((value, 0))
    }

    /// Grows whenever the value is set, exchanged, or handed out to be written to.
    public var version: UInt64 { state.withLock { $0.version } }

    /// The present value. Setting traps unless shape and type stay the same.
    public var value: NDArray {
        get { state.withLock { $0.value } }
        set {
            precondition(
                newValue.shape == spec.shape && newValue.elementType == spec.type,
                "a variable of \(spec) cannot take \(newValue.elementType)\(newValue.shape)")
            state.withLock { $0 = (newValue, $0.version + 1) }
        }
    }

    /// The memory of the value, made this variable's own so that a running step may write to it: a value
    /// that somebody has kept is not changed under them.
    public func exclusiveStorage() -> Storage {
        state.withLock { state in
            state.value.withUnsafeMutableBytes { _ in }
            state.version += 1
            return state.value.storage
        }
    }

    /// Takes new memory for the value and gives back the old.
    public func exchange(_ storage: Storage) -> Storage {
        state.withLock { state in
            let old = state.value.storage
            let new = NDArray(storage: storage, shape: spec.shape, elementType: spec.type)
            state = (new, state.version + 1)
            return old
        }
    }

    /// The value as a tensor: a leaf of the step being traced, or the present data.
    public var tensor: Tensor {
        if let trace = Trace.current { return trace.read(self) }
        return Tensor(value)
    }

    /// Inside a traced step, proposes a new value. Traps outside one, and unless shape and type fit.
    public func propose(_ value: Tensor) {
        guard let trace = Trace.current else {
            preconditionFailure(
                "a new value can be proposed only inside a step; outside one, set `value`")
        }
        precondition(
            value.spec == spec, "a variable of \(spec) cannot take a proposal of \(value.spec)")
        trace.propose(self, value)
    }
}

extension Variable: Hashable {
    public static func == (first: Variable, second: Variable) -> Bool { first === second }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// The record of a step while its body runs: which variables were read, and what was proposed for them.
public final class Trace: Sendable {
    @TaskLocal public static var current: Trace?

    private struct Record {
        var leaves: [Variable: Tensor] = [:]
        /// In the order in which the variables were first assigned.
        var proposals: OrderedDictionary<Variable, Tensor> = [:]
        var checks: [FinitenessCheck] = []
    }
    private let record = Mutex(Record())

    public init() {}

    /// The variable's leaf, or what has been proposed for it in this step already.
    func read(_ variable: Variable) -> Tensor {
        record.withLock { record in
            if let proposed = record.proposals[variable] { return proposed }
            if let leaf = record.leaves[variable] { return leaf }
            let leaf = Tensor(VariableLeaf(variable: variable))
            record.leaves[variable] = leaf
            return leaf
        }
    }

    func propose(_ variable: Variable, _ value: Tensor) {
        record.withLock { $0.proposals[variable] = value }
    }

    func require(_ check: FinitenessCheck) {
        record.withLock { $0.checks.append(check) }
    }

    /// What must be finite for the proposals to be committed.
    public var checks: [FinitenessCheck] { record.withLock { $0.checks } }

    /// The proposed values, in the order in which the variables were first assigned.
    public var proposals: [(variable: Variable, value: Tensor)] {
        record.withLock { record in record.proposals.map { ($0.key, $0.value) } }
    }
}
