import Arrays

/// A checksum of named arrays and texts: 64 bits that tell a damaged checkpoint from a whole one. It does
/// not withstand forgery.
struct ContentHash {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    private mutating func add(_ word: UInt64) {
        // The finalizer of SplitMix64 over the words, chained.
        var z = state ^ word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        state = (z ^ (z >> 31)) &+ 0x9E37_79B9_7F4A_7C15
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(UInt64(bytes.count))
        let whole = bytes.count / 8
        for index in 0..<whole {
            add(bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        var last: UInt64 = 0
        for byte in bytes[(whole * 8)...] { last = last << 8 | UInt64(byte) }
        add(last)
    }

    private mutating func add(_ text: String) {
        Array(text.utf8).withUnsafeBytes { add($0) }
    }

    /// Depends on names, types, shapes and bytes, not on the order.
    static func of(_ arrays: [String: NDArray], _ texts: [String: String]) -> String {
        var hash = ContentHash()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            hash.add(name)
            hash.add(text)
        }
        for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
            hash.add(name)
            hash.add("\(array.elementType)\(array.shape)")
            array.withUnsafeBytes { hash.add($0) }
        }
        let digits = String(hash.state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
