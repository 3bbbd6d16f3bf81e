/// Strict JSON (RFC 8259), as far as headers of safetensors files need it.
extension TextScanner {
    /// An object; `member` reads the value of each key.
    mutating func jsonObject(
        _ member: (inout TextScanner, String) throws(FileError) -> Void
    ) throws(FileError) {
        try expect("{")
        if skips("}") { return }
        repeat {
            skipSpace()
            let key = try jsonString()
            try expect(":")
            try member(&self, key)
        } while skips(",")
        try expect("}")
    }

    /// An array of numbers that are 0 or more, without fraction or exponent.
    mutating func jsonNaturalNumbers() throws(FileError) -> [Int] {
        var result: [Int] = []
        try expect("[")
        if skips("]") { return result }
        repeat { result.append(try naturalNumber()) } while skips(",")
        try expect("]")
        return result
    }

    /// Any value, read for its syntax only. Nesting deeper than `depth` is refused, which bounds
    /// the stack.
    mutating func skipJSONValue(depth: Int = 64) throws(FileError) {
        skipSpace()
        guard depth > 0 else { throw malformed("values are nested too deeply") }
        switch peek {
        case UInt8(ascii: "{"):
            try jsonObject { (scanner, _) throws(FileError) in
                try scanner.skipJSONValue(depth: depth - 1)
            }
        case UInt8(ascii: "["):
            try expect("[")
            if skips("]") { return }
            repeat { try skipJSONValue(depth: depth - 1) } while skips(",")
            try expect("]")
        case UInt8(ascii: "\""):
            _ = try jsonString()
        case UInt8(ascii: "t"): try expect("true")
        case UInt8(ascii: "f"): try expect("false")
        case UInt8(ascii: "n"): try expect("null")
        default: try skipJSONNumber()
        }
    }

    private mutating func skipJSONNumber() throws(FileError) {
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 0x30 && $0 <= 0x39 } ?? false }
        func digits() throws(FileError) {
            guard isDigit(peek) else { throw malformed("expected a JSON value") }
            while isDigit(peek) { advance() }
        }
        if peek == UInt8(ascii: "-") { advance() }
        try digits()
        if peek == UInt8(ascii: ".") {
            advance()
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            advance()
            if peek == UInt8(ascii: "-") || peek == UInt8(ascii: "+") { advance() }
            try digits()
        }
    }

    /// A string with its escapes resolved.
    mutating func jsonString() throws(FileError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            guard let byte = peek else { throw malformed("a string does not end") }
            advance()
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text += try jsonEscape()
            case 0..<0x20:
                throw malformed("a string holds a control character")
            default:
                text.append(byte)
            }
        }
    }

    /// What follows a backslash, as UTF-8.
    private mutating func jsonEscape() throws(FileError) -> [UInt8] {
        guard let byte = peek else { throw malformed("a string does not end") }
        advance()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw malformed("a string holds an unknown escape")
        }
        var code = try hexadecimalUnit()
        if (0xD800..<0xDC00).contains(code) {
            guard peek == UInt8(ascii: "\\") else { throw malformed("half a surrogate pair") }
            advance()
            guard peek == UInt8(ascii: "u") else { throw malformed("half a surrogate pair") }
            advance()
            let low = try hexadecimalUnit()
            guard (0xDC00..<0xE000).contains(low) else { throw malformed("half a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
        return Array(UTF8.encode(scalar)!)
    }

    private mutating func hexadecimalUnit() throws(FileError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("expected four hexadecimal digits after \\u")
            }
            code = code << 4 | UInt32(digit)
            advance()
        }
        return code
    }

    /// A string as JSON text, quotes included; everything but quotes, backslashes and control
    /// characters stands for itself.
    static func json(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
