import CZlib

/// The gzip format (RFC 1952), by the system's zlib.
public enum Gzip {
    /// Whether a file begins with gzip's two magic bytes.
    public static func isCompressed(_ file: InputFile) throws(FileError) -> Bool {
        guard file.byteCount >= 2 else { return false }
        return try file.bytes(0..<2) == [0x1F, 0x8B]
    }

    /// Decompresses a whole file. Throws when the content is damaged, cut short, or larger than
    /// `limit`.
    public static func decompress(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let reader = try GzipReader(InputFile(path))
        return try reader.bytes(limit: limit)
    }

    /// Compresses bytes. The result depends on the bytes alone: no name, no time.
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        let status = deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY,
            ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory for its tables")
        defer { deflateEnd(&stream) }

        var result: [UInt8] = []
        var scratch = [UInt8](repeating: 0, count: 1 << 16)
        var input = bytes
        input.withUnsafeMutableBufferPointer { input in
            var offset = 0
            var finished = false
            while !finished {
                let count = min(input.count - offset, 1 << 30)
                stream.next_in = input.baseAddress.map { $0 + offset }
                stream.avail_in = UInt32(count)
                let mode = offset + count == input.count ? Z_FINISH : Z_NO_FLUSH
                repeat {
                    scratch.withUnsafeMutableBufferPointer { output in
                        stream.next_out = output.baseAddress
                        stream.avail_out = UInt32(output.count)
                        finished = deflate(&stream, mode) == Z_STREAM_END
                    }
                    result += scratch[..<(scratch.count - Int(stream.avail_out))]
                } while stream.avail_out == 0
                offset += count
            }
        }
        return result
    }
}

/// Decompresses a gzip file piece by piece, all its members one after the other, checksums
/// included.
public final class GzipReader {
    private let file: InputFile
    private var offset = 0
    private var input = [UInt8](repeating: 0, count: 1 << 16)
    private var pending = 0..<0
    /// At a fixed address, because zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isInsideMember = false

    public init(_ file: InputFile) throws(FileError) {
        self.file = file
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = inflateInit2_(
            stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory for its tables")
        guard try Gzip.isCompressed(file) else {
            throw .malformed(file.path, "expected a gzip file, which begins with the bytes 1f 8b")
        }
        isInsideMember = true
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// No gzip file of this size decompresses to more: deflate shrinks at most 1032 times.
    public var maximumByteCount: Int {
        let (product, overflow) = file.byteCount.multipliedReportingOverflow(by: 1032)
        return overflow ? .max : product
    }

    /// Decompresses up to `buffer.count` bytes; fewer only at the end, after which it returns 0.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var produced = 0
        while produced < buffer.count && isInsideMember {
            if pending.isEmpty { try refill() }
            let output = buffer.baseAddress! + produced
            let room = min(buffer.count - produced, 1 << 30)
            let status = input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress! + pending.lowerBound
                stream.pointee.avail_in = UInt32(pending.count)
                stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(room)
                return inflate(stream, Z_NO_FLUSH)
            }
            pending = (pending.upperBound - Int(stream.pointee.avail_in))..<pending.upperBound
            produced += room - Int(stream.pointee.avail_out)
            switch status {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: try startNextMember()
            default:
                let detail = stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)"
                throw .malformed(file.path, "the gzip data is damaged (\(detail))")
            }
        }
        return produced
    }

    /// Everything that is left. Throws when it is more than `limit` bytes.
    public func bytes(limit: Int) throws(FileError) -> [UInt8] {
        precondition(limit >= 0, "the limit cannot be negative, found \(limit)")
        var result: [UInt8] = []
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { scratch.deallocate() }
        while true {
            let count = try read(into: scratch)
            if count == 0 { return result }
            guard count <= limit - result.count else {
                throw FileError(
                    path: file.path, kind: .limitExceeded,
                    reason: "expected at most \(limit) bytes after decompression, found more")
            }
            result.append(contentsOf: scratch[..<count])
        }
    }

    private func refill() throws(FileError) {
        let count = min(input.count, file.byteCount - offset)
        guard count > 0 else {
            throw .malformed(file.path, "the gzip data is cut short after \(offset) bytes")
        }
        input.replaceSubrange(0..<count, with: try file.bytes(offset..<(offset + count)))
        offset += count
        pending = 0..<count
    }

    /// After a member: another one, zeros as padding, or the end of the file.
    private func startNextMember() throws(FileError) {
        var isPadding = false
        while true {
            if pending.isEmpty {
                if offset == file.byteCount {
                    isInsideMember = false
                    return
                }
                try refill()
            }
            let byte = input[pending.lowerBound]
            if byte == 0 {
                isPadding = true
                pending = (pending.lowerBound + 1)..<pending.upperBound
            } else if byte == 0x1F && !isPadding {
                inflateReset(stream)
                return
            } else {
                throw .malformed(file.path, "bytes that are not gzip follow the gzip data")
            }
        }
    }
}
