/// Brings an image to another size: the largest centred part of the new proportion, each new pixel
/// the mean of the area it covers.
///
/// Both images are bytes, channels last. Sums are whole numbers, so the result is the same
/// everywhere.
func resizeCentre(
    _ source: UnsafeRawBufferPointer, _ from: ImageFolder.Size,
    into target: UnsafeMutableRawBufferPointer, _ to: ImageFolder.Size, channels: Int
) {
    // The part of the source: as high or as wide as it is, in the target's proportion.
    let isWide = from.width * to.height >= from.height * to.width
    let height = isWide ? from.height : max(1, from.width * to.height / to.width)
    let width = isWide ? max(1, from.height * to.width / to.height) : from.width
    let rows = areas(of: height, in: to.height, from: (from.height - height) / 2)
    let columns = areas(of: width, in: to.width, from: (from.width - width) / 2)
    let whole = UInt64(height) * UInt64(width)
    for (y, row) in rows.enumerated() {
        for (x, column) in columns.enumerated() {
            for channel in 0..<channels {
                var sum: UInt64 = 0
                for (sourceY, heightWeight) in row {
                    var line: UInt64 = 0
                    for (sourceX, weight) in column {
                        let place = (sourceY * from.width + sourceX) * channels + channel
                        line += UInt64(source[place]) * weight
                    }
                    sum += line * heightWeight
                }
                target[(y * to.width + x) * channels + channel] = UInt8(
                    (sum + whole / 2) / whole)
            }
        }
    }
}

/// For each of `count` equal parts of `length` pixels: the pixels it covers and how much of each, in
/// units of 1/count pixel. The amounts of a part sum to `length`.
private func areas(of length: Int, in count: Int, from offset: Int) -> [[(Int, UInt64)]] {
    (0..<count).map { part in
        // In units of 1/count pixel, part p covers p * length ..< (p + 1) * length.
        let (start, end) = (part * length, (part + 1) * length)
        return (start / count...(end - 1) / count).map { pixel in
            let covered = min(end, (pixel + 1) * count) - max(start, pixel * count)
            return (offset + pixel, UInt64(covered))
        }
    }
}
