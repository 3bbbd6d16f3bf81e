import Arrays
import Interchange

extension Dataset {
    /// A folder of data in any of the known forms, as its two parts.
    public struct Parts: Sendable {
        public let train: Dataset
        public let test: Dataset
        /// Images that were left out; see ``ImageFolder/skipped``.
        public let skipped: [FileError]

        /// All images that cannot be read, as far as is known: those that were left out, and those that
        /// turned out to be damaged since.
        public var unreadable: [FileError] { skipped + train.unreadable + test.unreadable }

        /// All samples, those that were left out among them.
        public var count: Int { train.count + test.count + skipped.count }

        public init(train: Dataset, test: Dataset, skipped: [FileError] = []) {
            self.train = train
            self.test = test
            self.skipped = skipped
        }

        /// How many samples of what form there are: what a training that goes on must find again.
        public var form: String {
            let classes = train.classCount.map { " in \($0) classes" } ?? ""
            return
                "\(train.count) samples of shape \(train.featureShape)\(classes) to train on and "
                + "\(test.count) to test with"
        }

        /// Throws unless the samples are images of this size.
        ///
        /// - Parameter name: of the data, for the error.
        public func require(_ size: ImageFolder.Size, of name: String) throws(DatasetError) {
            for shape in [train.featureShape, test.featureShape]
            where shape.rank != 3 || shape[0] != size.height || shape[1] != size.width {
                throw .inconsistent(
                    "\(name): expected images of \(size) pixels, found samples of shape \(shape); only "
                        + "PNG and JPEG files are brought to another size")
            }
        }
    }

    /// Reads a folder by what is in it: the binary files of CIFAR-10 or CIFAR-100, the IDX files of
    /// MNIST, or images in one folder per class.
    ///
    /// Images are decoded in the background from when a training begins; see ``unreadable``.
    ///
    /// Image folders may lie in `train` and `test` (or `val`); else every fifth sample or so, by
    /// random choice that is always the same, is for testing.
    ///
    /// Throws when the folder is none of these, naming what was expected, when a part has no sample, and
    /// when samples in other files than images have another size than is asked for.
    ///
    /// - Parameter imageSize: what images are brought to; see ``ImageFolder/Options/size``. By default they
    ///   must have one size.
    public static func parts(folder: String, imageSize: ImageFolder.Size? = nil)
        throws(DatasetError) -> Parts
    {
        let parts = try read(folder, imageSize)
        if let imageSize { try parts.require(imageSize, of: folder) }
        guard parts.train.count > 0, parts.test.count > 0 else {
            throw .inconsistent(
                "\(folder): expected samples to train on and to test with, found "
                    + "\(parts.train.count) and \(parts.test.count)")
        }
        return parts
    }

    private static func read(_ folder: String, _ imageSize: ImageFolder.Size?)
        throws(DatasetError) -> Parts
    {
        let listing: FolderListing
        do throws(FileError) {
            listing = try FolderListing(folder)
        } catch { throw .file(error) }
        if listing.files.contains(where: { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }) {
            let (train, test) = try cifar10(folder: folder)
            return Parts(train: train, test: test)
        }
        if listing.files.contains("train.bin") {
            let (train, test) = try cifar100(folder: folder)
            return Parts(train: train, test: test)
        }
        if listing.files.contains(where: { $0.hasPrefix("train-images") }) {
            let (train, test) = try mnist(folder: folder)
            return Parts(train: train, test: test)
        }
        guard !listing.folders.isEmpty else {
            throw .missing(
                "\(folder): expected the IDX files of MNIST (train-images-idx3-ubyte, ...), the "
                    + "binary files of CIFAR-10 (data_batch_1.bin, ...) or CIFAR-100 (train.bin, "
                    + "test.bin), or a folder of images for each class; found none of them")
        }
        return try imageParts(listing, imageSize)
    }

    /// Which of so many samples are for testing: every fifth or so.
    private static func testPart(of count: Int) -> [Bool] {
        let order = EpochOrder(count: count, seed: 0).indices(epoch: 0)
        var result = [Bool](repeating: false, count: count)
        let trained = count - Int((Double(count) * 0.2).rounded())
        for index in order.dropFirst(trained) { result[Int(index)] = true }
        return result
    }

    /// Throws where a folder, which bears the name of a part without the other one beside it, is no class.
    private static func requireImages(_ folder: String, _ part: String) throws(DatasetError) {
        let listing: FolderListing
        do throws(FileError) {
            listing = try FolderListing(folder + "/" + part)
        } catch { throw .file(error) }
        guard listing.folders.isEmpty || !listing.files.isEmpty else {
            throw .missing(
                "\(folder): expected folders train and test (or val), or a folder of images for each "
                    + "class; found \(part) alone, with folders in it")
        }
    }

    private static func imageParts(_ listing: FolderListing, _ size: ImageFolder.Size?)
        throws(DatasetError) -> Parts
    {
        let testName = ["test", "val"].first { listing.folders.contains($0) }
        guard listing.folders.contains("train"), let testName else {
            if let half = ["train", "test", "val"].first(where: listing.folders.contains) {
                try requireImages(listing.path, half)
            }
            let reader = try ImageFolderReader(listing.path, .init(size: size))
            let overview = try reader.overview()
            let isTest = testPart(of: overview.readable.count)
            let train = try reader.readInBackground(overview) { !isTest[$0] }
            let test = try reader.readInBackground(overview) { isTest[$0] }
            return Parts(train: train.dataset, test: test.dataset, skipped: train.skipped)
        }
        let train = try ImageFolderReader(listing.path + "/train", .init(size: size))
            .readInBackground()
        let shape = train.dataset.featureShape
        var options = ImageFolder.Options(size: size, channels: shape[2])
        options.byteLimit = MemoryBudget.byteCount - train.dataset.table.byteCount
        let test = try ImageFolderReader(
            listing.path + "/" + testName, options, classNames: train.dataset.classNames
        ).readInBackground()
        guard test.dataset.featureShape == shape else {
            throw .inconsistent(
                "\(listing.path)/\(testName): expected images of shape \(shape), as those to train "
                    + "on have, found \(test.dataset.featureShape)")
        }
        return Parts(
            train: train.dataset, test: test.dataset, skipped: train.skipped + test.skipped)
    }
}
