/// Reads a header's text byte by byte. Errors name the file and the offset in the text.
struct TextScanner {
    let bytes: [UInt8]
    private(set) var position = 0
    private let path: String
    private let what: String

    init(_ bytes: [UInt8], path: String, what: String) {
        self.bytes = bytes
        self.path = path
        self.what = what
    }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func advance() { position += 1 }

    func malformed(_ reason: String) -> FileError {
        .malformed(path, "\(what), offset \(position): \(reason)")
    }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            advance()
        }
    }

    /// Skips white space and then `token`, if it stands there.
    mutating func skips(_ token: StaticString) -> Bool {
        skipSpace()
        let length = token.utf8CodeUnitCount
        guard bytes.count - position >= length else { return false }
        for index in 0..<length where bytes[position + index] != token.utf8Start[index] {
            return false
        }
        position += length
        return true
    }

    mutating func expect(_ token: StaticString) throws(FileError) {
        guard skips(token) else { throw malformed("expected '\(token)'") }
    }

    mutating func expectEnd() throws(FileError) {
        skipSpace()
        guard position == bytes.count else { throw malformed("expected the end of the text") }
    }

    /// Decimal digits without sign or leading zeros, at most `Int.max`.
    mutating func naturalNumber() throws(FileError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while let byte = peek, byte >= 0x30, byte <= 0x39 {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int(byte) - 0x30)
            if tooLarge || overflow { throw malformed("a number is larger than \(Int.max)") }
            value = sum
            advance()
        }
        guard position > start else { throw malformed("expected a number that is 0 or more") }
        if bytes[start] == 0x30 && position > start + 1 {
            throw malformed("a number begins with 0")
        }
        return value
    }
}
