#if canImport(Glibc)
    import Glibc
#endif

/// Owned bytes, aligned to a cache line, or bytes kept alive by another owner.
///
/// The memory is written only while its owner is the only reference (copy on write in `NDArray`), or by
/// a runtime that owns the storage; that discipline is what `@unchecked Sendable` stands for.
public final class Storage: @unchecked Sendable {
    public static let alignment = 64

    public let pointer: UnsafeMutableRawPointer
    public let byteCount: Int
    private let owner: AnyObject?

    /// From this size on memory is asked for in huge pages: gathering samples from all over a data set would
    /// otherwise spend more time on page tables than on bytes.
    private static let hugePageThreshold = 4 << 20
    private static let hugePage = 2 << 20

    /// New memory of at least `byteCount` bytes, all zero.
    public init(zeroed byteCount: Int) {
        self.byteCount = byteCount
        let isLarge = byteCount >= Self.hugePageThreshold
        let unit = isLarge ? Self.hugePage : Self.alignment
        let rounded = (max(byteCount, 1) + unit - 1) / unit * unit
        pointer = .allocate(byteCount: rounded, alignment: unit)
        #if canImport(Glibc)
            // Advice only: where the system has no huge pages nothing changes.
            if isLarge { _ = madvise(pointer, rounded, MADV_HUGEPAGE) }
        #endif
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        owner = nil
    }

    /// Memory inside something else (a mapped file, a larger arena) that `owner` keeps alive.
    public init(pointer: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject) {
        self.pointer = pointer
        self.byteCount = byteCount
        self.owner = owner
    }

    /// A copy with memory of its own.
    public func copy() -> Storage {
        let copy = Storage(zeroed: byteCount)
        copy.pointer.copyMemory(from: pointer, byteCount: byteCount)
        return copy
    }

    /// Whether the bytes belong to this object, so that a sole reference may write to them.
    var ownsMemory: Bool { owner == nil }

    deinit {
        if owner == nil { pointer.deallocate() }
    }
}
