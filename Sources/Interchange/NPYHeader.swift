import Arrays

/// What stands before the data of a `.npy` file: a Python dictionary with three entries.
struct NPYHeader {
    /// NumPy's name of the type, byte order included.
    var descriptor = ""
    var isFortranOrder = false
    var shape: [Int] = []
    var dataOffset = 0

    init(_ file: InputFile) throws(FileError) {
        let path = file.path
        guard file.byteCount >= 10, try file.bytes(0..<6) == NPY.magic else {
            throw .malformed(path, "expected a NumPy file, which begins with the bytes 93 'NUMPY'")
        }
        let version = try file.bytes(6..<8)
        guard (1...3).contains(version[0]), version[1] == 0 else {
            throw .unsupported(
                path, "expected format version 1.0 to 3.0, found \(version[0]).\(version[1])")
        }
        let start = version[0] == 1 ? 10 : 12
        let lengthBytes = try file.bytes(8..<start)
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= min(file.byteCount - start, 1 << 20) else {
            throw .malformed(
                path,
                "the header claims \(length) bytes, more than 1 MiB or than the "
                    + "\(file.byteCount - start) that follow")
        }
        dataOffset = start + length
        var scanner = TextScanner(try file.bytes(start..<dataOffset), path: path, what: "header")
        try parse(&scanner)
    }

    private mutating func parse(_ scanner: inout TextScanner) throws(FileError) {
        var seen: Set<String> = []
        try scanner.expect("{")
        while !scanner.skips("}") {
            let key = try scanner.pythonString()
            guard seen.insert(key).inserted else {
                throw scanner.malformed("the key '\(key)' appears twice")
            }
            try scanner.expect(":")
            switch key {
            case "descr": descriptor = try scanner.pythonString()
            case "fortran_order": isFortranOrder = try scanner.pythonBool()
            case "shape": shape = try scanner.pythonTuple()
            default: throw scanner.malformed("unknown key '\(key)'")
            }
            if scanner.skips("}") { break }
            try scanner.expect(",")
        }
        try scanner.expectEnd()
        for key in ["descr", "fortran_order", "shape"] where !seen.contains(key) {
            throw scanner.malformed("the key '\(key)' is missing")
        }
    }

    private static let names: [(ElementType, String)] = [
        (.bool, "b1"), (.uint8, "u1"), (.int32, "i4"), (.int64, "i8"), (.bfloat16, "V2"),
        (.float16, "f2"), (.float32, "f4"), (.float64, "f8"),
    ]

    /// Nil for a type that arrays do not have.
    var elementType: ElementType? {
        guard let order = descriptor.first else { return nil }
        guard let match = Self.names.first(where: { descriptor.dropFirst() == $0.1 }) else {
            return nil
        }
        // One-byte elements have no order; void elements have none of their own either.
        let orders = match.0.byteCount == 1 || match.0 == .bfloat16 ? "<>=|" : "<>="
        return orders.contains(order) ? match.0 : nil
    }

    var isBigEndian: Bool { descriptor.first == ">" }

    /// The header that NumPy would write: padded so that the data begins at a multiple of 64 bytes.
    static func bytes(for array: NDArray) -> [UInt8] {
        let name = names.first { $0.0 == array.elementType }!.1
        let order = array.elementType.byteCount == 1 ? "|" : "<"
        let extents = array.shape.map(String.init).joined(separator: ", ")
        let tuple = array.shape.rank == 1 ? "(\(extents),)" : "(\(extents))"
        let text = "{'descr': '\(order)\(name)', 'fortran_order': False, 'shape': \(tuple), }"
        let padding = 63 - (10 + text.utf8.count) % 64
        let header = Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
        precondition(header.count <= 0xFFFF, "the shape \(array.shape) has too many axes for .npy")
        return NPY.magic + [1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header
    }
}

extension TextScanner {
    /// A string in single or double quotes without escapes.
    fileprivate mutating func pythonString() throws(FileError) -> String {
        skipSpace()
        guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw malformed("expected a string")
        }
        advance()
        let start = position
        while let byte = peek, byte != quote {
            guard byte != UInt8(ascii: "\\"), byte >= 0x20, byte < 0x7F else {
                throw malformed("unexpected character in a string")
            }
            advance()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard peek == quote else { throw malformed("a string does not end") }
        advance()
        return text
    }

    fileprivate mutating func pythonBool() throws(FileError) -> Bool {
        if skips("True") { return true }
        if skips("False") { return false }
        throw malformed("expected True or False")
    }

    /// A tuple of non-negative integers; a `L` after them (Python 2) is allowed.
    fileprivate mutating func pythonTuple() throws(FileError) -> [Int] {
        var result: [Int] = []
        try expect("(")
        while !skips(")") {
            result.append(try naturalNumber())
            _ = skips("L")
            if skips(")") { break }
            try expect(",")
        }
        return result
    }
}
