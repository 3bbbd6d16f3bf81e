import Foundation

/// Small pictures inside a page.
enum PNGImage {
    /// The picture as a `data:` address: PNG (ISO/IEC 15948) without compression.
    ///
    /// - Parameter pixels: `height * width * channels` bytes; 1 channel is grey, 3 are red, green and blue.
    static func dataAddress(_ pixels: [UInt8], width: Int, height: Int, channels: Int) -> String {
        "data:image/png;base64,"
            + Data(encode(pixels, width: width, height: height, channels: channels))
            .base64EncodedString()
    }

    static func encode(_ pixels: [UInt8], width: Int, height: Int, channels: Int) -> [UInt8] {
        precondition(
            pixels.count == width * height * channels && (channels == 1 || channels == 3),
            "a picture of \(height) x \(width) x \(channels) cannot have \(pixels.count) bytes")
        var header = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
        // Eight bits, grey or colours, the only kinds of compression and filter, not interlaced.
        header += [8, channels == 1 ? 0 : 2, 0, 0, 0]
        let rowBytes = width * channels
        var raw: [UInt8] = []
        for row in 0..<height {
            raw.append(0)
            raw += pixels[(row * rowBytes)..<((row + 1) * rowBytes)]
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header) + chunk("IDAT", stored(raw)) + chunk("IEND", [])
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(crc(body))
    }

    /// A zlib stream of stored blocks (RFC 1950, RFC 1951).
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65535, bytes.count)
            let count = UInt16(end - start)
            result.append(end == bytes.count ? 1 : 0)
            for number in [count, ~count] {
                result += [UInt8(number & 0xFF), UInt8(number >> 8)]
            }
            result += bytes[start..<end]
            start = end
        } while start < bytes.count
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return result + bigEndian(b << 16 | a)
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return ~value
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
