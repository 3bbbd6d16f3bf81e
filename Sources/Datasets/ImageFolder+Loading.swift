import Arrays
import Interchange

extension ImageFolderReader {
    /// What is known of a folder whose headers were read.
    struct Overview {
        var size: ImageFolder.Size
        var channels: Int
        /// The files whose headers are fine.
        var readable: [Int]
        var skipped: [FileError]
    }

    /// Reads all headers, and of each class images until one can be decoded. Throws as ``read()`` does.
    func overview() throws(DatasetError) -> Overview {
        let headers = headers()
        let (size, channels) = try form(headers)
        let overview = Overview(
            size: size, channels: channels,
            readable: files.indices.filter { headers[$0].failure == nil },
            skipped: refused + headers.compactMap(\.failure))
        try checkClasses(overview.readable, overview.skipped)
        let classes = Dictionary(grouping: overview.readable) { files[$0].label }
            .sorted { $0.key < $1.key }.map(\.value)
        let failures = parallelMap(classes, threads: options.threads) {
            decodingFailures($0, overview)
        }
        for case (let members, .success(let errors?)) in zip(classes, failures) {
            let folder = folder(of: members[0])
            throw unreadable(
                folder, overview.skipped.filter { $0.path.hasPrefix(folder + "/") } + errors)
        }
        return overview
    }

    /// Why none of some files can be decoded; nil where one can be.
    private func decodingFailures(_ wanted: [Int], _ overview: Overview) -> [FileError]? {
        let byteCount = overview.size.height * overview.size.width * overview.channels
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { scratch.deallocate() }
        var errors: [FileError] = []
        for index in wanted {
            do throws(FileError) {
                try Self.decode(
                    files[index].path, overview.size, overview.channels, options.pixelLimit,
                    into: scratch)
                return nil
            } catch { errors.append(error) }
        }
        return errors
    }

    /// All of the folder's images.
    func readInBackground() throws(DatasetError) -> ImageFolder {
        try readInBackground(overview()) { _ in true }
    }

    /// Some of the folder's images as samples that are decoded in the background. Files whose headers are
    /// damaged are left out at once. Throws where no sample can be decoded.
    ///
    /// - Parameter isWanted: which of the readable files, by their place, become samples.
    func readInBackground(_ overview: Overview, _ isWanted: (_ place: Int) -> Bool)
        throws(DatasetError) -> ImageFolder
    {
        let (size, channels) = (overview.size, overview.channels)
        let (good, skipped) = (overview.readable, overview.skipped)
        let wanted = good.indices.filter { isWanted($0) }.map { good[$0] }
        if !wanted.isEmpty, let errors = decodingFailures(wanted, overview) {
            throw unreadable(folder, errors, of: "for training or testing")
        }
        let kept = wanted.map { files[$0] }
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
