import Arrays

extension Safetensors {
    /// Writes arrays and metadata to a file, whole or not at all.
    ///
    /// The bytes depend on the content alone: metadata is sorted by key; arrays are sorted by the
    /// size of their elements, largest first, and then by name, so that every array is aligned to
    /// its elements. The header is padded with spaces so that the data begins at a multiple of 8
    /// bytes.
    ///
    /// Throws when the file cannot be written, when the header would be too long, or when an array
    /// has the name `__metadata__`, which the format reserves.
    public static func write(
        _ arrays: [String: NDArray], metadata: [String: String] = [:], to path: String
    ) throws(FileError) {
        guard arrays["__metadata__"] == nil else {
            throw .unsupported(path, "no tensor can have the name '__metadata__'")
        }
        let sorted = arrays.sorted { first, second in
            let (a, b) = (first.value.elementType.byteCount, second.value.elementType.byteCount)
            return a != b ? a > b : utf8Precedes(first.key, second.key)
        }
        let header = headerBytes(sorted, metadata: metadata)
        guard header.count <= maximumHeaderByteCount else {
            throw FileError(
                path: path, kind: .limitExceeded,
                reason: "the header would have \(header.count) bytes; at most "
                    + "\(maximumHeaderByteCount) are allowed")
        }
        try AtomicFile.write(to: path) { (writer) throws(FileError) in
            try writer.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
            try writer.write(header)
            for (_, array) in sorted {
                try array.withUnsafeBytes { (bytes) throws(FileError) in try writer.write(bytes) }
            }
        }
    }

    private static func headerBytes(
        _ arrays: [(key: String, value: NDArray)], metadata: [String: String]
    ) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { utf8Precedes($0.key, $1.key) }
                .map { TextScanner.json($0.key) + ":" + TextScanner.json($0.value) }
            members.append("\"__metadata__\":{" + pairs.joined(separator: ",") + "}")
        }
        var offset = 0
        for (name, array) in arrays {
            let end = offset + array.byteCount
            let extents = array.shape.map(String.init).joined(separator: ",")
            members.append(
                TextScanner.json(name)
                    + ":{\"dtype\":\"\(SafetensorsType.name(array.elementType))\","
                    + "\"shape\":[\(extents)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        let text = Array(("{" + members.joined(separator: ",") + "}").utf8)
        return text + [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    }
}
