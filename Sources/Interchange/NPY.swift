import Arrays

/// NumPy's `.npy` files, format versions 1.0 to 3.0.
///
/// Element types: bool `|b1`, uint8 `|u1`, int32 `i4`, int64 `i8`, float16 `f2`, float32 `f4`,
/// float64 `f8` in either byte order, and bfloat16 as `V2`, which is how NumPy stores the type of
/// `ml_dtypes`.
public enum NPY {
    static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

    /// The shape and element type that a file's header tells, which is all that is read. Throws as
    /// ``read(_:)`` does.
    public static func spec(_ path: String) throws(FileError) -> (shape: Shape, type: ElementType) {
        let (_, header, type) = try open(path)
        return (Shape(header.shape), type)
    }

    /// Reads an array. Fortran order is turned into row-major order.
    ///
    /// Throws when the file is damaged, cut short, longer than its header says, larger than the machine's
    /// memory has room for, or of a type that arrays do not have.
    public static func read(_ path: String) throws(FileError) -> NDArray {
        let (file, header, type) = try open(path)
        let byteCount = file.byteCount - header.dataOffset
        // Turning the order takes a second array.
        try MemoryBudget.require(byteCount, copies: header.isFortranOrder ? 2 : 1, for: path)
        var array = NDArray(zeros: Shape(header.shape), type)
        try array.withUnsafeMutableBytes { (bytes) throws(FileError) in
            try file.read(into: bytes, at: header.dataOffset)
        }
        if header.isBigEndian { array.swapByteOrder() }
        array.normalizeBooleans()
        return header.isFortranOrder ? array.transposedFromFortranOrder() : array
    }

    /// A file whose size is that of what its header tells.
    private static func open(_ path: String) throws(FileError)
        -> (file: InputFile, header: NPYHeader, type: ElementType)
    {
        let file = try InputFile(path)
        let header = try NPYHeader(file)
        guard let type = header.elementType else {
            throw .unsupported(
                path,
                "expected one of the types b1, u1, i4, i8, f2, f4, f8 and V2 (bfloat16), found "
                    + "'\(header.descriptor)'; convert it with astype before saving")
        }
        guard let byteCount = checkedByteCount(header.shape, elementBytes: type.byteCount) else {
            throw .malformed(path, "the shape \(header.shape) is too large for any file")
        }
        guard byteCount == file.byteCount - header.dataOffset else {
            throw .malformed(
                path,
                "expected \(byteCount) bytes of data for \(type) of shape \(header.shape), found "
                    + "\(file.byteCount - header.dataOffset)")
        }
        return (file, header, type)
    }

    /// Writes an array as version 1.0, little endian, row-major; whole or not at all.
    public static func write(_ array: NDArray, to path: String) throws(FileError) {
        let header = NPYHeader.bytes(for: array)
        try AtomicFile.write(to: path) { (writer) throws(FileError) in
            try writer.write(header)
            try array.withUnsafeBytes { (bytes) throws(FileError) in try writer.write(bytes) }
        }
    }
}

extension NDArray {
    /// The row-major array whose elements lie here in column-major order.
    func transposedFromFortranOrder() -> NDArray {
        guard shape.rank > 1, elementCount > 0 else { return self }
        var result = NDArray(zeros: shape, elementType)
        let size = elementType.byteCount
        var strides = [Int](repeating: size, count: shape.rank)
        for axis in 1..<shape.rank { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        withUnsafeBytes { source in
            result.withUnsafeMutableBytes { target in
                var index = [Int](repeating: 0, count: shape.rank)
                var from = 0
                for to in stride(from: 0, to: target.count, by: size) {
                    for byte in 0..<size { target[to + byte] = source[from + byte] }
                    var axis = shape.rank - 1
                    while axis >= 0 {
                        index[axis] += 1
                        from += strides[axis]
                        if index[axis] < shape[axis] { break }
                        from -= index[axis] * strides[axis]
                        index[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
        return result
    }
}
