import Arrays
import Datasets

extension Picture {
    /// The longest side of a picture that holds several.
    package static let largestSide = 1024

    /// Samples of a data set of images side by side, row by row, with lines of grey between them; nil where
    /// the data are no images.
    ///
    /// Never larger than ``largestSide`` on a side: there are fewer samples then, and of a large image only
    /// every so many pixels.
    package static func samples(_ data: Dataset, count: Int) -> Picture? {
        let shape = data.featureShape
        guard shape.rank == 3, data.count > 0 else { return nil }
        let (height, width, channels) = (shape[0], shape[1], shape[2])
        // A pixel in so many, so that four images fit beside each other.
        let every = max((max(height, width) - 1) / (largestSide / 4 - 1) + 1, 1)
        let (cellHeight, cellWidth) = ((height - 1) / every + 2, (width - 1) / every + 2)
        let columns = min(8, count, largestSide / cellWidth, data.count)
        let rows = min(count / columns, largestSide / cellHeight, (data.count - 1) / columns + 1)
        let gridWidth = columns * cellWidth
        var pixels = [UInt8](repeating: 128, count: rows * cellHeight * gridWidth * channels)
        for sample in 0..<min(rows * columns, data.count) {
            guard let picture = Picture(data, sample: sample) else { return nil }
            let (top, left) = (sample / columns * cellHeight, sample % columns * cellWidth)
            for y in stride(from: 0, to: height, by: every) {
                for x in stride(from: 0, to: width, by: every) {
                    let source = (y * width + x) * channels
                    let target = ((top + y / every) * gridWidth + left + x / every) * channels
                    for channel in 0..<channels {
                        pixels[target + channel] = picture.pixels[source + channel]
                    }
                }
            }
        }
        return Picture(pixels, width: gridWidth, height: rows * cellHeight, channels: channels)
    }
}
