import Arrays
import Interchange

/// A data set made from a folder of PNG and JPEG files, with what could not be read.
public struct ImageFolder: Sendable {
    /// Bytes `[samples, height, width, channels]`, ordered by class and then by file name.
    public let dataset: Dataset
    /// The file of each sample.
    public let paths: [String]
    /// Damaged and refused files, and links that lead nowhere, left out of the data: report them to whoever
    /// is there to read.
    public let skipped: [FileError]

    /// How images of a folder become samples of one shape.
    public struct Options: Sendable, Hashable {
        /// Images become so many pixels high and wide: the largest centred part of this
        /// proportion, averaged over areas. By default all images must have one size.
        public var size: Size?
        /// 1 or 3; by default 3 if any image has colours, else 1.
        public var channels: Int?
        /// A file whose header promises more pixels is refused before it is decoded.
        public var pixelLimit = 1 << 26
        /// The largest size of all samples together, in bytes; less where the machine's memory has no room
        /// for them.
        public var byteLimit = 16 << 30
        /// How many threads decode. The result does not depend on it.
        public var threads = 8
        /// How many threads decode in the background of a training.
        public var backgroundThreads = 2

        public init(size: Size? = nil, channels: Int? = nil) {
            self.size = size
            self.channels = channels
        }
    }

    /// The extent of an image in pixels.
    public struct Size: Sendable, Hashable, CustomStringConvertible {
        public var height: Int
        public var width: Int

        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }

        public var description: String { "\(height) x \(width)" }
    }
}

extension Dataset {
    /// Images in one folder per class: `path/class/image.png`.
    ///
    /// - Parameters:
    ///   - classNames: The classes, by default the sub-folders in sorted order. Give those of the
    ///     training part for a test part.
    ///
    /// Classes are the sub-folders; files count as images by their names (`.png`, `.jpg`, `.jpeg`)
    /// and are read by their content. A damaged file, and one whose header promises too many
    /// pixels, is left out and listed in `skipped`. Throws, naming the folder or file, when there
    /// is no class, a class has no image (or none that can be read), images differ in size and
    /// no size was asked for, or the samples would need too much memory.
    public static func imageFolder(
        _ path: String, _ options: ImageFolder.Options = ImageFolder.Options(),
        classNames: [String]? = nil
    ) throws(DatasetError) -> ImageFolder {
        try ImageFolderReader(path, options, classNames: classNames).read()
    }
}

/// One reading of a folder: lists files, reads headers, then decodes, the last two in parallel.
struct ImageFolderReader {
    let folder: String
    let options: ImageFolder.Options
    let classNames: [String]
    /// Files and the class of each.
    private(set) var files: [(path: String, label: Int32)] = []
    /// Images and folders that cannot be named or opened.
    private(set) var refused: [FileError]

    struct Header: Sendable {
        var size: ImageFolder.Size
        var isColour: Bool
    }

    init(_ folder: String, _ options: ImageFolder.Options, classNames: [String]? = nil)
        throws(DatasetError)
    {
        precondition(
            (options.size?.height ?? 1) > 0 && (options.size?.width ?? 1) > 0
                && [nil, 1, 3].contains(options.channels) && options.threads > 0,
            "expected a size of 1 x 1 or more, 1 or 3 channels and 1 thread or more, "
                + "found \(options)")
        self.folder = folder
        self.options = options
        let listing = try Self.list(folder)
        refused = listing.refused
        let found = listing.folders
        guard !found.isEmpty else {
            throw .missing("\(folder): expected a folder for each class, found no folder")
        }
        self.classNames = classNames ?? found
        // By their bytes: names that only look the same are folders of their own.
        let labels = Dictionary(
            self.classNames.enumerated().map { (Array($1.utf8), Int32($0)) },
            uniquingKeysWith: { first, _ in first })
        for name in found {
            guard let label = labels[Array(name.utf8)] else {
                throw .inconsistent(
                    "\(folder)/\(name): this class is not one of the \(self.classNames.count) known"
                )
            }
            let listing = try Self.list("\(folder)/\(name)")
            refused += listing.refused.filter { Self.isImageName($0.path) }
            let images = listing.files.filter(Self.isImageName)
            guard !images.isEmpty else {
                throw .missing(
                    "\(folder)/\(name): expected PNG or JPEG images of this class, found none")
            }
            files += images.map { ("\(folder)/\(name)/\($0)", label) }
        }
    }

    private static func list(_ path: String) throws(DatasetError) -> FolderListing {
        do throws(FileError) { return try FolderListing(path) } catch { throw .file(error) }
    }

    private static func isImageName(_ name: String) -> Bool {
        let name = name.lowercased()
        return [".png", ".jpg", ".jpeg"].contains { name.hasSuffix($0) }
    }

    func read() throws(DatasetError) -> ImageFolder {
        let pixelLimit = options.pixelLimit
        let headers = headers()
        let (size, channels) = try form(headers)
        let shape: Shape = [size.height, size.width, channels]
        var images = NDArray(zeros: Shape([files.count] + shape), .uint8)
        let sampleBytes = shape.elementCount
        let failures = images.withUnsafeMutableBytes { bytes in
            let target = SendableBytes(bytes)
            return parallelMap(Array(files.indices), threads: options.threads) {
                index throws(FileError) in
                if case .failure(let error) = headers[index] { throw error }
                try Self.decode(
                    files[index].path, size, channels, pixelLimit,
                    into: target.part(index * sampleBytes, sampleBytes))
            }
        }
        return try collect(images, failures)
    }

    func headers() -> [Result<Header, FileError>] {
        let pixelLimit = options.pixelLimit
        return parallelMap(files.map(\.path), threads: options.threads) {
            path throws(FileError) in
            let image = try EncodedImage(path, pixelLimit: pixelLimit)
            return Header(
                size: .init(height: image.height, width: image.width), isColour: image.isColour)
        }
    }

    /// What samples have in common. Throws when they do not, or are too large together.
    func form(_ headers: [Result<Header, FileError>]) throws(DatasetError)
        -> (size: ImageFolder.Size, channels: Int)
    {
        let size = try commonSize(headers)
        let isColour = headers.contains { (try? $0.get())?.isColour == true }
        let channels = options.channels ?? (isColour ? 3 : 1)
        try checkMemory([size.height, size.width, channels])
        return (size, channels)
    }

    /// The size of the samples. Throws when there is no readable image or sizes differ.
    private func commonSize(_ headers: [Result<Header, FileError>]) throws(DatasetError)
        -> ImageFolder.Size
    {
        if let size = options.size { return size }
        var first: (index: Int, size: ImageFolder.Size)?
        for (index, header) in headers.enumerated() {
            guard case .success(let header) = header else { continue }
            guard let known = first else {
                first = (index, header.size)
                continue
            }
            guard header.size == known.size else {
                throw .inconsistent(
                    "\(files[index].path): expected \(known.size) pixels, as "
                        + "\(files[known.index].path) has, found \(header.size); choose a size to "
                        + "bring all images to, as --image-size does")
            }
        }
        if let first { return first.size }
        throw unreadable(folder, headers.compactMap(\.failure))
    }

    private func checkMemory(_ shape: Shape) throws(DatasetError) {
        let total = checkedElementCount([files.count] + shape) ?? .max
        let limit = min(options.byteLimit, MemoryBudget.byteCount)
        guard total <= limit else {
            throw .inconsistent(
                "\(folder): \(files.count) images of shape \(shape) need \(total) bytes of memory, more "
                    + "than the \(limit) there are for them; choose a smaller size")
        }
    }

    static func decode(
        _ path: String, _ size: ImageFolder.Size, _ channels: Int, _ pixelLimit: Int,
        into target: UnsafeMutableRawBufferPointer
    ) throws(FileError) {
        let image = try EncodedImage(path, pixelLimit: pixelLimit)
        if image.height == size.height, image.width == size.width {
            return try image.decode(channels: channels, into: target)
        }
        let pixels = UnsafeMutableRawBufferPointer.allocate(
            byteCount: image.height * image.width * channels, alignment: 64)
        defer { pixels.deallocate() }
        try image.decode(channels: channels, into: pixels)
        resizeCentre(
            UnsafeRawBufferPointer(pixels), .init(height: image.height, width: image.width),
            into: target, size, channels: channels)
    }

    /// The samples that were decoded. Throws when a class has none.
    private func collect(_ images: NDArray, _ results: [Result<Void, FileError>])
        throws(DatasetError) -> ImageFolder
    {
        let good = results.indices.filter { results[$0].failure == nil }
        let skipped = refused + results.compactMap(\.failure)
        try checkClasses(good, skipped)
        return ImageFolder(
            dataset: try Dataset(
                features: good.count == files.count ? images : images.gatheringRows(good),
                labels: NDArray(good.map { files[$0].label }), classCount: classNames.count,
                classNames: classNames, scale: 1 / 255),
            paths: good.map { files[$0].path }, skipped: skipped)
    }

    /// Throws when no file of a class is among those that can be read.
    func checkClasses(_ good: [Int], _ skipped: [FileError]) throws(DatasetError) {
        let remaining = Set(good.map { files[$0].label })
        if let lost = files.indices.first(where: { !remaining.contains(files[$0].label) }) {
            let folder = folder(of: lost)
            throw unreadable(folder, skipped.filter { $0.path.hasPrefix(folder + "/") })
        }
    }

    /// The folder of a file's class.
    func folder(of index: Int) -> String { "\(folder)/\(classNames[Int(files[index].label)])" }

    func unreadable(_ folder: String, _ errors: [FileError], of part: String? = nil)
        -> DatasetError
    {
        .inconsistent(
            "\(folder): none of the \(errors.count) images \(part.map { $0 + " " } ?? "")can be read; the "
                + "first: "
                + "\(errors.first?.description ?? "")")
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
