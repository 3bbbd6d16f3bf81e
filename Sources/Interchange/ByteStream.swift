/// The content of a file in order, decompressed when the file is gzip (by its first bytes, not its
/// name).
public final class ByteStream {
    private enum Source {
        case plain(InputFile)
        case gzip(GzipReader)
    }

    public let path: String
    private let source: Source
    private var offset = 0

    public init(_ path: String) throws(FileError) {
        self.path = path
        let file = try InputFile(path)
        source = try Gzip.isCompressed(file) ? .gzip(GzipReader(file)) : .plain(file)
    }

    /// At most so many bytes come: exact for a plain file, an upper bound for gzip.
    ///
    /// A header that promises more is a lie, known before anything is allocated for it.
    public var maximumByteCount: Int {
        switch source {
        case .plain(let file): file.byteCount
        case .gzip(let reader): reader.maximumByteCount
        }
    }

    /// Reads up to `buffer.count` bytes; fewer only at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        switch source {
        case .gzip(let reader):
            return try reader.read(into: buffer)
        case .plain(let file):
            let count = min(buffer.count, file.byteCount - offset)
            try file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset)
            offset += count
            return count
        }
    }

    /// The next bytes, fewer than `count` only at the end. Memory grows with what really comes.
    public func bytes(_ count: Int) throws(FileError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(min(count, maximumByteCount, 1 << 20))
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, min(count, 1 << 18)), alignment: 64)
        defer { scratch.deallocate() }
        while result.count < count {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: scratch[..<min(scratch.count, count - result.count)])
            let found = try read(into: part)
            if found == 0 { break }
            result.append(contentsOf: part[..<found])
        }
        return result
    }

    /// Everything that is left. Throws when it is more than `limit` bytes.
    public func bytes(limit: Int) throws(FileError) -> [UInt8] {
        precondition(limit >= 0 && limit < Int.max, "a limit must lie in 0..<Int.max")
        let result = try bytes(limit + 1)
        guard result.count <= limit else {
            throw FileError(
                path: path, kind: .limitExceeded,
                reason: "expected at most \(limit) bytes, found more")
        }
        return result
    }
}
