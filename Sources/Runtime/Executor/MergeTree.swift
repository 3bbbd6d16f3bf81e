import Synchronization

/// Merges the partial results of groups in the fixed tree as the groups finish, on the workers that
/// finish them. What is merged with what does not depend on the order in which they do.
package final class MergeTree {
    private let count: Int
    /// For each inner node, how many of its two sides have arrived: the node that merges `i` and
    /// `i + distance` is at `level * count + i`.
    private let arrivals: UnsafeMutablePointer<Atomic<Int>>
    private let capacity: Int

    package init(count: Int) {
        self.count = count
        var levels = 0
        while 1 << levels < count { levels += 1 }
        capacity = max(levels * count, 1)
        arrivals = .allocate(capacity: capacity)
        for index in 0..<capacity { (arrivals + index).initialize(to: Atomic(0)) }
    }

    deinit {
        arrivals.deinitialize(count: capacity)
        arrivals.deallocate()
    }

    /// Says that a group is complete, and merges whatever can be merged now. Returns whether that was
    /// everything: the result is then that of group 0.
    package func arrive(_ group: Int, merge: (_ into: Int, _ from: Int) -> Void) -> Bool {
        var (position, distance, level) = (group, 1, 0)
        while distance < count {
            let left = position / (2 * distance) * (2 * distance)
            if left + distance < count {
                let node = arrivals + (level * count + left)
                if node.pointee.add(1, ordering: .acquiringAndReleasing).newValue == 1 {
                    return false
                }
                node.pointee.store(0, ordering: .relaxed)
                merge(left, left + distance)
            }
            position = left
            distance *= 2
            level += 1
        }
        return true
    }
}
