import CJPEG
import CPNG
import Datasets
import Foundation

/// A folder with sub-folders that goes away with the value.
final class FolderTree {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "evenkeel-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let url = URL(filePath: path).appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path()
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: path).appending(path: name), withIntermediateDirectories: true)
    }
}

/// Pixels of a test image, channels last.
struct TestImage {
    var height: Int
    var width: Int
    var channels: Int
    var pixels: [UInt8]

    /// A slope in each direction, different for each channel and each `phase`: it survives JPEG.
    init(_ height: Int, _ width: Int, channels: Int = 3, phase: Int = 0) {
        (self.height, self.width, self.channels) = (height, width, channels)
        pixels = (0..<(height * width * channels)).map { index in
            let (pixel, channel) = (index / channels, index % channels)
            let (y, x) = (pixel / width, pixel % width)
            return UInt8((40 + phase * 5 + y * 3 + x * (channel + 1) + channel * 20) % 256)
        }
    }

    /// A PNG file: 1 channel is grey, 2 grey and alpha, 3 colour, 4 colour and alpha.
    func png() -> [UInt8] {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        (image.width, image.height) = (png_uint_32(width), png_uint_32(height))
        image.format = png_uint_32(
            (channels > 2 ? PNG_FORMAT_FLAG_COLOR : 0)
                | (channels % 2 == 0 ? PNG_FORMAT_FLAG_ALPHA : 0))
        var result = [UInt8](repeating: 0, count: pixels.count * 2 + 4096)
        var count = png_alloc_size_t(result.count)
        let isWritten = png_image_write_to_memory(&image, &result, &count, 0, pixels, 0, nil)
        precondition(isWritten != 0, "the test image cannot be written")
        return Array(result[..<Int(count)])
    }

    /// A JPEG file of the best quality, 1 or 3 channels.
    func jpeg() -> [UInt8] {
        let encoder = tjInitCompress()!
        defer { tjDestroy(encoder) }
        var memory: UnsafeMutablePointer<UInt8>?
        var count = UInt(0)
        let isGrey = channels == 1
        let result = tjCompress2(
            encoder, pixels, Int32(width), Int32(width * channels), Int32(height),
            Int32(isGrey ? TJPF_GRAY.rawValue : TJPF_RGB.rawValue), &memory, &count,
            Int32(isGrey ? TJSAMP_GRAY.rawValue : TJSAMP_444.rawValue), 100, 0)
        precondition(result == 0, "the test image cannot be written")
        defer { tjFree(memory) }
        return Array(UnsafeBufferPointer(start: memory, count: Int(count)))
    }
}

/// The header of a PNG that promises so many pixels, with correct checksums and no data.
func pngBomb(height: UInt32, width: UInt32) -> [UInt8] {
    var file = TestImage(1, 1).png()
    for (place, value) in [(16, width), (20, height)] {
        for byte in 0..<4 {
            file[place + byte] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * byte))
        }
    }
    var crc: UInt32 = .max
    for byte in file[12..<29] {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    for byte in 0..<4 {
        file[29 + byte] = UInt8(truncatingIfNeeded: ~crc >> UInt32(24 - 8 * byte))
    }
    return file
}

/// The sentence of the error that making a data set is expected to throw.
func datasetFailure<R>(_ body: () throws(DatasetError) -> R) -> String? {
    do throws(DatasetError) {
        _ = try body()
        return nil
    } catch {
        return error.description
    }
}
