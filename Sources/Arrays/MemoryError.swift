/// What needs more memory than there is, as a sentence.
public struct MemoryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What needs it.
    public let what: String
    public let neededBytes: Double
    public let availableBytes: Int

    package init(what: String, neededBytes: Double, availableBytes: Int) {
        self.what = what
        self.neededBytes = neededBytes
        self.availableBytes = availableBytes
    }

    /// The same of something else.
    package func of(_ what: String) -> MemoryError {
        MemoryError(what: what, neededBytes: neededBytes, availableBytes: availableBytes)
    }

    public var description: String {
        func gigabytes(_ bytes: Double) -> String {
            bytes < 1e11 ? "\((bytes / 1e8).rounded(.up) / 10)" : "\(Int(min(bytes / 1e9, 1e18)))"
        }
        return "\(what) needs \(gigabytes(neededBytes)) GB of memory, this machine has "
            + "\(gigabytes(Double(availableBytes))) GB"
    }
}

extension PhysicalMemory {
    /// Throws where something needs more bytes than there are, with those that the process holds already.
    /// They are counted in Double, so that they cannot overflow.
    public static func require(_ bytes: Double, for what: String) throws(MemoryError) {
        let needed = bytes + Double(heldByteCount)
        guard needed <= Double(byteCount) else {
            throw MemoryError(what: what, neededBytes: needed, availableBytes: byteCount)
        }
    }
}
