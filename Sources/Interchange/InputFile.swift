#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A regular file open for reading, whose size is known before anything is allocated.
///
/// Bytes are copied out rather than mapped: a mapped file that another program cuts short kills the
/// process, a read that comes up short is an error.
public final class InputFile: Sendable {
    public let path: String
    /// The size when the file was opened.
    public let byteCount: Int
    private let descriptor: FileDescriptor

    /// Opens a file. Throws when it does not exist, is not readable, or is no regular file.
    public init(_ path: String) throws(FileError) {
        descriptor = try .reading(path)
        let status = try descriptor.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(
                path: path, kind: .system,
                reason: status.st_mode & S_IFMT == S_IFDIR
                    ? "expected a file, found a folder" : "expected a regular file")
        }
        self.path = path
        byteCount = Int(status.st_size)
    }

    /// Fills the buffer from the bytes at `offset`. Throws when the file ends before.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int)
        throws(FileError)
    {
        let count = try descriptor.read(into: buffer, at: offset)
        guard count == buffer.count else {
            throw .malformed(
                path,
                "the file ends early: expected \(buffer.count) bytes at offset \(offset), "
                    + "found \(count)")
        }
    }

    /// The bytes of a range, which must lie inside the file.
    public func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        guard range.lowerBound >= 0 && range.upperBound <= byteCount else {
            throw .malformed(
                path,
                "the file ends early: expected at least \(range.upperBound) bytes, "
                    + "found \(byteCount)"
            )
        }
        var result = [UInt8](repeating: 0, count: range.count)
        try fill(&result, at: range.lowerBound)
        return result
    }

    /// The whole file. Throws when it holds more than `limit` bytes, or more than the machine's memory has
    /// room for.
    public func bytes(limit: Int = .max) throws(FileError) -> [UInt8] {
        guard byteCount <= limit else {
            throw FileError(
                path: path, kind: .limitExceeded,
                reason: "expected at most \(limit) bytes, found \(byteCount)")
        }
        try MemoryBudget.require(byteCount, for: path)
        return try bytes(0..<byteCount)
    }

    private func fill(_ bytes: inout [UInt8], at offset: Int) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) {
                try read(into: buffer, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
