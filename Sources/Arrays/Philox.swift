/// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
/// 1, 2, 3").
///
/// What is drawn depends only on the key and the counter, so a sample gets the same numbers whichever
/// thread, shard or machine asks for them.
public struct Philox: Sendable, Hashable {
    public let key: UInt64

    @inlinable
    public init(key: UInt64) { self.key = key }

    /// A key for a purpose of its own (a layer, an epoch), made from this key.
    public func derived(_ stream: UInt64) -> Philox {
        let words = self(stream, 0x9E37_79B9_7F4A_7C15)
        return Philox(key: UInt64(words.0) | UInt64(words.1) << 32)
    }

    /// The four words at a 128-bit counter.
    @inlinable
    public func callAsFunction(_ low: UInt64, _ high: UInt64 = 0) -> (
        UInt32, UInt32, UInt32, UInt32
    ) {
        var c0 = UInt32(truncatingIfNeeded: low)
        var c1 = UInt32(truncatingIfNeeded: low >> 32)
        var c2 = UInt32(truncatingIfNeeded: high)
        var c3 = UInt32(truncatingIfNeeded: high >> 32)
        var k0 = UInt32(truncatingIfNeeded: key)
        var k1 = UInt32(truncatingIfNeeded: key >> 32)
        for _ in 0..<10 {
            let a = c0.multipliedFullWidth(by: 0xD251_1F53)
            let b = c2.multipliedFullWidth(by: 0xCD9E_8D57)
            (c0, c1, c2, c3) = (b.high ^ c1 ^ k0, b.low, a.high ^ c3 ^ k1, a.low)
            k0 = k0 &+ 0x9E37_79B9
            k1 = k1 &+ 0xBB67_AE85
        }
        return (c0, c1, c2, c3)
    }

    /// A number in [0, 1) with 24 random bits, from one word.
    @inlinable
    public static func unit(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }

    /// A number in [0, 1) with 53 random bits, from two words.
    @inlinable
    public static func unit(_ high: UInt32, _ low: UInt32) -> Double {
        Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
    }
}

/// A sequential generator over Philox's counters, for shuffling and for initial values.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
    public let philox: Philox
    public var counter: UInt64

    public init(seed: UInt64, counter: UInt64 = 0) {
        philox = Philox(key: seed)
        self.counter = counter
    }

    public mutating func next() -> UInt64 {
        defer { counter &+= 1 }
        let words = philox(counter)
        return UInt64(words.0) << 32 | UInt64(words.1)
    }
}
