/// A piece of work prepared at planning time. `run` is called once per shard, by any worker.
package class Kernel {
    /// Computes the task's units.
    func run(_ task: ShardTask) {
        preconditionFailure("a kernel must say what it computes")
    }

    /// Bytes of working memory that `run` needs at the task's `workspace`.
    var workspaceBytes: Int { 0 }

    /// For reductions: merges the groups' partial results and writes the outputs. Called once, after all
    /// shards have run.
    func finish(_ task: ShardTask) {}
}

/// A reduction small enough to be done at once.
final class SerialReductionKernel: Kernel {
    private let kernel: Kernel

    init(_ kernel: Kernel) { self.kernel = kernel }

    override var workspaceBytes: Int { kernel.workspaceBytes }

    override func run(_ task: ShardTask) {
        kernel.run(task)
        kernel.finish(task)
    }
}

/// The fixed binary tree in which partial results merge: 0 takes 1, 2 takes 3, then 0 takes 2, and so on.
@inline(__always)
package func mergeInTree(_ count: Int, _ merge: (_ into: Int, _ from: Int) -> Void) {
    var distance = 1
    while distance < count {
        var index = 0
        while index + distance < count {
            merge(index, index + distance)
            index += 2 * distance
        }
        distance *= 2
    }
}
