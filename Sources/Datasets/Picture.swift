import Arrays
import CPNG

/// A picture of bytes in memory, to be shown to a person.
public struct Picture: Hashable, Sendable {
    public let width: Int
    public let height: Int
    /// 1 is grey, 3 are red, green and blue.
    public let channels: Int
    /// `height * width * channels` bytes, channels last.
    public let pixels: [UInt8]

    /// Traps unless there is a byte for each channel of each pixel, and 1 or 3 channels.
    public init(_ pixels: [UInt8], width: Int, height: Int, channels: Int) {
        precondition(
            width > 0 && height > 0 && (channels == 1 || channels == 3)
                && pixels.count == width * height * channels,
            "a picture of \(height) x \(width) x \(channels) cannot have \(pixels.count) bytes")
        (self.width, self.height, self.channels) = (width, height, channels)
        self.pixels = pixels
    }

    /// A sample of images of bytes `[samples, height, width, 1 or 3]`; nil where they are something else.
    public init?(_ data: Dataset, sample: Int) {
        let shape = data.featureShape
        guard data.table.elementType == .uint8, shape.rank == 3, [1, 3].contains(shape[2]) else {
            return nil
        }
        data.require([sample])
        let row = data.table.rows(sample..<(sample + 1))
        self.init(
            row.elements(as: UInt8.self), width: shape[1], height: shape[0], channels: shape[2])
    }

    /// The bytes of a PNG file.
    public var png: [UInt8] {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        (image.width, image.height) = (png_uint_32(width), png_uint_32(height))
        image.format = png_uint_32(channels == 3 ? PNG_FORMAT_FLAG_COLOR : 0)
        defer { png_image_free(&image) }
        // More than pixels that cannot be compressed take, in the smallest pieces.
        var bytes = [UInt8](repeating: 0, count: pixels.count + pixels.count / 100 + height + 4096)
        var count = bytes.count
        let isDone = png_image_write_to_memory(
            &image, &bytes, &count, 0, pixels, Int32(width * channels), nil)
        precondition(
            isDone != 0, "\(height) x \(width) pixels must have room in \(bytes.count) bytes")
        return Array(bytes[..<count])
    }
}
