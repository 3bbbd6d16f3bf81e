import Arrays
import Graph

/// Whether the present run may commit: written by the guard, read by kernels that overwrite variables.
final class CommitGate {
    private let flag = UnsafeMutablePointer<Bool>.allocate(capacity: 1)

    init() { flag.initialize(to: true) }
    deinit { flag.deallocate() }

    /// Ordered between workers by the phases.
    var isOpen: Bool {
        get { flag.pointee }
        set { flag.pointee = newValue }
    }
}

/// Looks at everything that must be finite, and opens or closes the gate.
final class CommitGuard: Kernel {
    struct Check {
        let label: String
        let operand: Operand
        let spec: TensorSpec
    }

    private let checks: [Check]
    private let gate: CommitGate
    private(set) var failedLabels: [String] = []

    init(_ checks: [Check], gate: CommitGate) {
        self.checks = checks
        self.gate = gate
    }

    override func run(_ task: ShardTask) {
        failedLabels.removeAll(keepingCapacity: true)
        for check in checks where !isFinite(check, task) { failedLabels.append(check.label) }
        gate.isOpen = failedLabels.isEmpty
    }

    private func isFinite(_ check: Check, _ task: ShardTask) -> Bool {
        func scan<E: BinaryFloatingPoint>(_: E.Type) -> Bool {
            let values: UnsafeMutablePointer<E> = check.operand.pointer(task)
            for index in 0..<check.spec.shape.elementCount where !values[index].isFinite {
                return false
            }
            return true
        }
        switch check.spec.type {
        case .float32: return scan(Float.self)
        case .float64: return scan(Double.self)
        case .float16: return scan(Float16.self)
        case .bfloat16:
            let values: UnsafeMutablePointer<BFloat16> = check.operand.pointer(task)
            return (0..<check.spec.shape.elementCount).allSatisfy { values[$0].floatValue.isFinite }
        case .bool, .uint8, .int32, .int64: return true
        }
    }
}

/// A kernel that overwrites variables, run only when the gate is open.
final class CommitKernel: Kernel {
    private let kernel: Kernel
    private let gate: CommitGate

    init(_ kernel: Kernel, gate: CommitGate) {
        self.kernel = kernel
        self.gate = gate
    }

    override var workspaceBytes: Int { kernel.workspaceBytes }

    override func run(_ task: ShardTask) {
        if gate.isOpen { kernel.run(task) }
    }
}
