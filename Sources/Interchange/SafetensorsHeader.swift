import Arrays

/// The JSON header of a safetensors file, checked against the size of the file.
///
/// The parser is made for this one schema: it sees names that appear twice (most JSON libraries
/// keep one of them silently) and needs no more memory than the entries themselves.
struct SafetensorsHeader {
    private(set) var entries: [Safetensors.Entry] = []
    private(set) var metadata: [String: String] = [:]

    init(_ file: InputFile) throws(FileError) {
        let path = file.path
        guard file.byteCount >= 8 else {
            throw .malformed(
                path,
                "expected a safetensors file of at least 8 bytes, found \(file.byteCount)")
        }
        let length = try file.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Safetensors.maximumHeaderByteCount) else {
            throw .malformed(
                path,
                "the header claims \(length) bytes; expected at most "
                    + "\(Safetensors.maximumHeaderByteCount)")
        }
        guard Int(length) <= file.byteCount - 8 else {
            throw .malformed(
                path,
                "the header claims \(length) bytes, but only \(file.byteCount - 8) follow")
        }
        let dataStart = 8 + Int(length)
        let bytes = try file.bytes(8..<dataStart)
        guard bytes.first == UInt8(ascii: "{") else {
            throw .malformed(path, "expected a header that begins with '{'")
        }
        guard bytes.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil else {
            throw .malformed(path, "the header is not valid UTF-8")
        }
        var scanner = TextScanner(bytes, path: path, what: "header")
        try parse(&scanner, dataStart: dataStart, fileEnd: file.byteCount)
        try checkLayout(path: path, dataStart: dataStart, fileEnd: file.byteCount)
    }

    private mutating func parse(_ scanner: inout TextScanner, dataStart: Int, fileEnd: Int)
        throws(FileError)
    {
        var seen: Set<[UInt8]> = []
        try scanner.jsonObject { (scanner, name) throws(FileError) in
            guard seen.insert(Array(name.utf8)).inserted else {
                throw scanner.malformed("the name '\(name)' appears twice")
            }
            if name == "__metadata__" {
                metadata = try Self.metadata(&scanner)
            } else {
                entries.append(
                    try Self.entry(name, &scanner, dataStart: dataStart, fileEnd: fileEnd))
            }
        }
        try scanner.expectEnd()
    }

    private static func metadata(_ scanner: inout TextScanner) throws(FileError) -> [String: String]
    {
        var result: [String: String] = [:]
        if scanner.skips("null") { return result }
        try scanner.jsonObject { (scanner, key) throws(FileError) in
            let value = try scanner.jsonString()
            guard result.updateValue(value, forKey: key) == nil else {
                throw scanner.malformed("the metadata key '\(key)' appears twice")
            }
        }
        return result
    }

    private static func entry(
        _ name: String, _ scanner: inout TextScanner, dataStart: Int, fileEnd: Int
    ) throws(FileError) -> Safetensors.Entry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.jsonObject { (scanner, key) throws(FileError) in
            let isRepeated: Bool
            switch key {
            case "dtype":
                isRepeated = typeName != nil
                typeName = try scanner.jsonString()
            case "shape":
                isRepeated = shape != nil
                shape = try scanner.jsonNaturalNumbers()
            case "data_offsets":
                isRepeated = offsets != nil
                offsets = try scanner.jsonNaturalNumbers()
            default:
                // Readers ignore what later versions of the format may add.
                isRepeated = false
                try scanner.skipJSONValue()
            }
            if isRepeated {
                throw scanner.malformed("the tensor '\(name)' has the key '\(key)' twice")
            }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw scanner.malformed(
                "the tensor '\(name)' needs the keys dtype, shape and data_offsets (two numbers)")
        }
        guard let elementBytes = SafetensorsType.byteCount(typeName) else {
            throw scanner.malformed(
                "the tensor '\(name)' has the unknown type '\(typeName)'; expected one of "
                    + SafetensorsType.supportedNames)
        }
        guard let expected = checkedByteCount(shape, elementBytes: elementBytes) else {
            throw scanner.malformed(
                "the tensor '\(name)' of shape \(shape) is too large for any file")
        }
        guard offsets[0] <= offsets[1], offsets[1] <= fileEnd - dataStart else {
            throw scanner.malformed(
                "the tensor '\(name)' has the offsets \(offsets), outside the "
                    + "\(fileEnd - dataStart) bytes of data")
        }
        guard offsets[1] - offsets[0] == expected else {
            throw scanner.malformed(
                "the tensor '\(name)' of type \(typeName) and shape \(shape) needs \(expected) "
                    + "bytes, found \(offsets[1] - offsets[0])")
        }
        return Safetensors.Entry(
            name: name, shape: Shape(shape), typeName: typeName,
            elementType: SafetensorsType.elementType(typeName),
            byteRange: (dataStart + offsets[0])..<(dataStart + offsets[1]))
    }

    /// Sorts the entries by their bytes, which must follow one another to the end of the file.
    private mutating func checkLayout(path: String, dataStart: Int, fileEnd: Int) throws(FileError)
    {
        entries.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound)
                < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
        }
        var end = dataStart
        for entry in entries {
            let start = entry.byteRange.lowerBound
            guard start >= end else {
                throw .malformed(path, "the tensor '\(entry.name)' overlaps another one")
            }
            guard start == end else {
                throw .malformed(
                    path, "\(start - end) bytes before the tensor '\(entry.name)' belong to none")
            }
            end = entry.byteRange.upperBound
        }
        guard end == fileEnd else {
            throw .malformed(path, "\(fileEnd - end) bytes at the end belong to no tensor")
        }
    }
}
