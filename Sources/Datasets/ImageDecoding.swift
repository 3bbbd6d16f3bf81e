import Arrays
import CJPEG
import CPNG
import Interchange

/// A PNG or JPEG file in memory whose header has been read and found acceptable.
///
/// Pixels come as bytes, channels last: one channel for grey, three for colour. Palettes, 16-bit
/// and low-bit samples become 8-bit; alpha is composited over black; colours with a gamma of their
/// own are brought to sRGB.
struct EncodedImage {
    let path: String
    let height: Int
    let width: Int
    let isColour: Bool
    private let bytes: [UInt8]
    private let isPNG: Bool

    /// No file may be larger, whatever it decodes to.
    static let byteLimit = 1 << 28

    /// Reads a file and its header. Throws when it is neither format, is damaged, or promises more
    /// than `pixelLimit` pixels; nothing is decoded.
    init(_ path: String, pixelLimit: Int) throws(FileError) {
        self.path = path
        bytes = try InputFile(path).bytes(limit: Self.byteLimit)
        let header: Header
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            isPNG = true
            header = try Self.pngHeader(bytes, path)
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            isPNG = false
            header = try Self.jpegHeader(bytes, path)
        } else {
            throw .malformed(path, "expected a PNG or JPEG file, found neither")
        }
        (height, width, isColour) = (header.height, header.width, header.isColour)
        guard height > 0, width > 0 else {
            throw .malformed(path, "the header tells no size: it is damaged or cut short")
        }
        let (pixels, overflows) = height.multipliedReportingOverflow(by: width)
        guard !overflows, pixels <= pixelLimit else {
            throw FileError(
                path: path, kind: .limitExceeded,
                reason: "the header promises \(height) x \(width) pixels, expected at most "
                    + "\(pixelLimit)")
        }
    }

    private typealias Header = (height: Int, width: Int, isColour: Bool)

    /// Writes `height * width * channels` bytes. Throws when the data is damaged or cut short.
    func decode(channels: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) {
        precondition(channels == 1 || channels == 3, "expected 1 or 3 channels, found \(channels)")
        precondition(
            target.count == height * width * channels,
            "expected \(height * width * channels) bytes to decode into, found \(target.count)")
        if isPNG {
            try decodePNG(channels, target)
        } else {
            try decodeJPEG(channels, target)
        }
    }

    // MARK: - PNG, through libpng's simplified interface: errors are values, not jumps

    private static func pngHeader(_ bytes: [UInt8], _ path: String) throws(FileError) -> Header {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        defer { png_image_free(&image) }
        guard png_image_begin_read_from_memory(&image, bytes, bytes.count) != 0 else {
            throw .malformed(path, message(image))
        }
        return (
            Int(image.height), Int(image.width),
            image.format & png_uint_32(PNG_FORMAT_FLAG_COLOR) != 0
        )
    }

    private func decodePNG(_ channels: Int, _ target: UnsafeMutableRawBufferPointer)
        throws(FileError)
    {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        defer { png_image_free(&image) }
        // The library keeps reading from the bytes between the two calls.
        let isDone = bytes.withUnsafeBytes { source in
            guard png_image_begin_read_from_memory(&image, source.baseAddress, source.count) != 0
            else { return false }
            // 16-bit samples are taken as they are, not as linear light.
            image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
            image.format = png_uint_32(channels == 3 ? PNG_FORMAT_FLAG_COLOR : 0)
            var black = png_color(red: 0, green: 0, blue: 0)
            return png_image_finish_read(
                &image, &black, target.baseAddress, Int32(width * channels), nil) != 0
        }
        guard isDone else { throw .malformed(path, Self.message(image)) }
    }

    private static func message(_ image: png_image) -> String {
        "damaged PNG: "
            + withUnsafeBytes(of: image.message) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
    }

    // MARK: - JPEG, through TurboJPEG

    private static func jpegHeader(_ bytes: [UInt8], _ path: String) throws(FileError) -> Header {
        let decoder = try JPEGDecoder(path)
        var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
        guard
            tjDecompressHeader3(
                decoder.handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &space)
                == 0
        else { throw decoder.failure() }
        guard space != TJCS_CMYK.rawValue, space != TJCS_YCCK.rawValue else {
            throw .unsupported(path, "expected a grey or RGB image, found CMYK inks")
        }
        return (Int(height), Int(width), space != TJCS_GRAY.rawValue)
    }

    private func decodeJPEG(_ channels: Int, _ target: UnsafeMutableRawBufferPointer)
        throws(FileError)
    {
        let decoder = try JPEGDecoder(path)
        let format = channels == 3 ? TJPF_RGB : TJPF_GRAY
        // Endless progressive scans are refused; data that ends early is an error.
        let result = tjDecompress2(
            decoder.handle, bytes, UInt(bytes.count), target.baseAddress, Int32(width),
            Int32(width * channels), Int32(height), Int32(bitPattern: UInt32(format.rawValue)),
            TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT)
        guard result == 0 else { throw decoder.failure() }
    }
}

/// A TurboJPEG decompressor, freed with the value.
private final class JPEGDecoder {
    let handle: tjhandle
    private let path: String

    init(_ path: String) throws(FileError) {
        guard let handle = tjInitDecompress() else {
            throw FileError(path: path, kind: .system, reason: "no memory to decode a JPEG")
        }
        self.handle = handle
        self.path = path
    }

    deinit { tjDestroy(handle) }

    func failure() -> FileError {
        .malformed(path, "damaged JPEG: " + String(cString: tjGetErrorStr2(handle)))
    }
}
