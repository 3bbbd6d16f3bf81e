import Arrays
import Interchange

extension ImageFolderReader {
    /// The folder's images as samples that are decoded in the background. Files whose headers are damaged
    /// are left out at once. Throws as ``read()`` does.
    ///
    /// - Parameter isWanted: which of the readable files, by their place, become samples.
    func readInBackground(_ isWanted: (_ place: Int, _ count: Int) -> Bool = { _, _ in true })
        throws(DatasetError) -> ImageFolder
    {
        let headers = headers()
        let (size, channels) = try form(headers)
        let good = files.indices.filter { headers[$0].failure == nil }
        let skipped = headers.compactMap(\.failure)
        try checkClasses(good, skipped)
        let kept = good.indices.filter { isWanted($0, good.count) }.map { files[good[$0]] }
        let sampleBytes = size.height * size.width * channels
        var images = NDArray(
            zeros: [kept.count, size.height, size.width, channels], .uint8)
        // Written by the loader while others read the samples that are there: it has its own way to them.
        let target = images.withUnsafeMutableBytes { SendableBytes($0) }
        let storage = images.storage
        let pixelLimit = options.pixelLimit
        let dataset = try Dataset(
            features: images, labels: NDArray(kept.map(\.label)), classCount: classNames.count,
            classNames: classNames, scale: 1 / 255
        ).loading(threads: options.backgroundThreads) { sample throws(FileError) in
            let place = withExtendedLifetime(storage) {
                target.part(sample * sampleBytes, sampleBytes)
            }
            do throws(FileError) {
                try Self.decode(kept[sample].path, size, channels, pixelLimit, into: place)
            } catch {
                // The next one of the class that can be read stands in for it.
                for step in 1..<kept.count {
                    let other = kept[(sample + step) % kept.count]
                    guard other.label == kept[sample].label else { continue }
                    if (try? Self.decode(other.path, size, channels, pixelLimit, into: place))
                        != nil
                    {
                        break
                    }
                }
                throw error
            }
        }
        return ImageFolder(dataset: dataset, paths: kept.map(\.path), skipped: skipped)
    }
}
