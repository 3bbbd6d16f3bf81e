import Arrays

/// The order in which an epoch visits the samples: a function of the seed and the epoch's number
/// alone.
public struct EpochOrder: Sendable, Hashable {
    /// The number of samples.
    public let count: Int
    public let seed: UInt64
    /// Whether every epoch has a random order of its own; otherwise all go from first to last.
    public let isShuffled: Bool

    /// Traps unless `count` lies in `0...Int32.max`.
    public init(count: Int, seed: UInt64, isShuffled: Bool = true) {
        precondition(
            count >= 0 && count <= Int32.max, "a count must lie in 0...\(Int32.max), found \(count)"
        )
        self.count = count
        self.seed = seed
        self.isShuffled = isShuffled
    }

    /// The samples in the order of an epoch, each of `0..<count` once.
    public func indices(epoch: Int) -> [Int32] {
        var indices = (0..<Int32(count)).map { $0 }
        guard isShuffled, count > 1 else { return indices }
        // A stream of its own: other users of the same seed (initial weights, dropout) do not share
        // it.
        let purpose = Philox(key: seed).derived(0x4F72_6465_7200)
        var generator = PhiloxGenerator(
            seed: purpose.derived(UInt64(bitPattern: Int64(epoch))).key)
        indices.withUnsafeMutableBufferPointer { buffer in
            // Fisher and Yates: every order is equally likely.
            for last in stride(from: buffer.count - 1, to: 0, by: -1) {
                buffer.swapAt(last, generator.uniform(below: last + 1))
            }
        }
        return indices
    }
}

extension PhiloxGenerator {
    /// A number in `0..<bound`, all equally likely (Lemire 2019, "Fast random integer generation in
    /// an interval"). Written out, because the standard library does not promise which numbers it
    /// draws.
    mutating func uniform(below bound: Int) -> Int {
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }
}
