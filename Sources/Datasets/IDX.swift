import Arrays
import Interchange

/// IDX files, the format of MNIST and its kin, plain or gzip.
///
/// Two zero bytes, a type, the number of axes, the extents as big-endian 32-bit numbers, then the
/// elements, big endian and row-major.
public enum IDX {
    private struct Format {
        let code: UInt8
        let byteCount: Int
        let elementType: ElementType
    }

    /// Signed bytes and 16-bit integers have no array type of their own and become Int32.
    private static let formats = [
        Format(code: 0x08, byteCount: 1, elementType: .uint8),
        Format(code: 0x09, byteCount: 1, elementType: .int32),
        Format(code: 0x0B, byteCount: 2, elementType: .int32),
        Format(code: 0x0C, byteCount: 4, elementType: .int32),
        Format(code: 0x0D, byteCount: 4, elementType: .float32),
        Format(code: 0x0E, byteCount: 8, elementType: .float64),
    ]

    /// Reads an array: UInt8, Int32 (also from 8- and 16-bit signed integers), Float or Double.
    ///
    /// Throws when the file is damaged, cut short or longer than its header says. A header that
    /// promises more than the file can hold (for gzip: can decompress to), than `limit` bytes or than the
    /// machine's memory has room for is refused before anything is allocated.
    public static func read(_ path: String, limit: Int = 16 << 30) throws(FileError) -> NDArray {
        let stream = try ByteStream(path)
        let magic = try stream.bytes(4)
        guard magic.count == 4, magic[0] == 0, magic[1] == 0,
            let format = formats.first(where: { $0.code == magic[2] })
        else {
            throw .malformed(
                path,
                "expected an IDX file, which begins with two zero bytes and a type of 8, 9 or "
                    + "11 to 14, found \(magic)")
        }
        let rank = Int(magic[3])
        let extents = try stream.bytes(4 * rank)
        guard extents.count == 4 * rank else {
            throw .malformed(path, "the file ends inside the header's \(rank) extents")
        }
        let shape = stride(from: 0, to: extents.count, by: 4).map { start in
            extents[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
        }
        let available = stream.maximumByteCount - 4 - extents.count
        guard let byteCount = checkedByteCount(shape, elementBytes: format.byteCount),
            byteCount <= available,
            let arrayByteCount = checkedByteCount(shape, elementBytes: format.elementType.byteCount)
        else {
            throw .malformed(
                path,
                "the header promises elements of shape \(shape), more than the file can hold")
        }
        guard byteCount <= limit else {
            throw FileError(
                path: path, kind: .limitExceeded,
                reason: "expected at most \(limit) bytes of elements, found \(byteCount)")
        }
        // The bytes of the file become an array of its own.
        try MemoryBudget.require(max(byteCount, arrayByteCount), copies: 2, for: path)
        let bytes = try stream.bytes(byteCount)
        guard bytes.count == byteCount else {
            throw .malformed(
                path,
                "expected \(byteCount) bytes of elements of shape \(shape), found \(bytes.count)")
        }
        guard try stream.bytes(1).isEmpty else {
            throw .malformed(path, "bytes follow after the \(byteCount) bytes of elements")
        }
        return array(bytes, Shape(shape), format)
    }

    private static func array(_ bytes: [UInt8], _ shape: Shape, _ format: Format) -> NDArray {
        switch format.code {
        case 0x09:
            return NDArray(bytes.map { Int32(Int8(bitPattern: $0)) }, shape: shape)
        case 0x0B:
            let values = stride(from: 0, to: bytes.count, by: 2).map { index in
                Int32(Int16(bitPattern: UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])))
            }
            return NDArray(values, shape: shape)
        default:
            var array = NDArray(zeros: shape, format.elementType)
            array.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
            array.swapByteOrder()
            return array
        }
    }

    /// Writes an array of type UInt8, Int32, Float or Double, compressed when the name ends in
    /// `.gz`; whole or not at all. Throws for other types, more than 255 axes, and extents beyond
    /// 32 bits.
    public static func write(_ array: NDArray, to path: String) throws(FileError) {
        guard
            let format = formats.first(where: {
                $0.elementType == array.elementType && $0.byteCount == array.elementType.byteCount
            })
        else {
            throw .unsupported(
                path,
                "IDX holds uint8, int32, float32 and float64; found \(array.elementType)")
        }
        guard array.shape.rank <= 255, array.shape.allSatisfy({ $0 <= UInt32.max }) else {
            throw .unsupported(path, "the shape \(array.shape) does not fit an IDX header")
        }
        var bytes: [UInt8] = [0, 0, format.code, UInt8(array.shape.rank)]
        for extent in array.shape {
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: extent >> (24 - 8 * $0)) }
        }
        var elements = array
        elements.swapByteOrder()
        elements.withUnsafeBytes { bytes.append(contentsOf: $0) }
        try AtomicFile.write(path.hasSuffix(".gz") ? Gzip.compress(bytes) : bytes, to: path)
    }
}
