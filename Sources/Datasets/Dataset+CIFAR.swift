import Arrays
import Interchange

extension Dataset {
    /// CIFAR-10 (Krizhevsky 2009) in its binary version: colour images of 32 by 32 pixels in ten
    /// classes, bytes `[samples, 32, 32, 3]`.
    ///
    /// Reads `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, and the names of the
    /// classes from `batches.meta.txt` if it is there. A file may hold any number of samples.
    /// Throws when a file is missing, its size is no whole number of samples, a label is not one of the
    /// classes, or the machine's memory has no room for them; the sentence names the file or folder.
    public static func cifar10(folder: String) throws(DatasetError) -> (
        train: Dataset, test: Dataset
    ) {
        let format = CIFARFormat(name: "CIFAR-10", labelBytes: 1, classCount: 10)
        return try format.read(
            folder, train: (1...5).map { "data_batch_\($0).bin" }, test: "test_batch.bin",
            classNames: "batches.meta.txt")
    }

    /// CIFAR-100 (Krizhevsky 2009) in its binary version: like ``cifar10(folder:)`` with a hundred
    /// fine classes.
    ///
    /// Reads `train.bin` and `test.bin`, and the names from `fine_label_names.txt` if it is there.
    /// The coarse labels are checked and left out.
    public static func cifar100(folder: String) throws(DatasetError) -> (
        train: Dataset, test: Dataset
    ) {
        let format = CIFARFormat(name: "CIFAR-100", labelBytes: 2, classCount: 100)
        return try format.read(
            folder, train: ["train.bin"], test: "test.bin", classNames: "fine_label_names.txt")
    }
}

/// The records of a CIFAR file: labels, then the planes of red, green and blue.
private struct CIFARFormat {
    let name: String
    /// The class is the last of them; CIFAR-100 has one of 20 coarse classes before it.
    let labelBytes: Int
    let classCount: Int

    private static let side = 32
    private static let pixels = side * side
    private static let channels = 3

    private var recordBytes: Int { labelBytes + Self.pixels * Self.channels }

    func read(_ folder: String, train: [String], test: String, classNames: String)
        throws(DatasetError) -> (train: Dataset, test: Dataset)
    {
        let names = try self.classNames(folder + "/" + classNames)
        // All sizes are known before anything is allocated.
        var files: [InputFile] = []
        for name in train + [test] { files.append(try open(folder, name)) }
        do throws(FileError) {
            for file in files { try MemoryBudget.require(file.byteCount, for: file.path) }
            try MemoryBudget.require(files.reduce(0) { $0 + $1.byteCount }, for: folder)
        } catch { throw .file(error) }
        return (try part(files.dropLast(), names), try part(files.suffix(1), names))
    }

    private func part(_ opened: ArraySlice<InputFile>, _ classNames: [String]?)
        throws(DatasetError) -> Dataset
    {
        let count = opened.reduce(0) { $0 + $1.byteCount / recordBytes }
        var images = NDArray(zeros: [count, Self.side, Self.side, Self.channels], .uint8)
        var labels: [UInt8] = []
        labels.reserveCapacity(count)
        for file in opened { try append(file, &images, &labels) }
        return try Dataset(
            features: images, labels: NDArray(labels), classCount: classCount,
            classNames: classNames, scale: 1 / 255)
    }

    private func open(_ folder: String, _ name: String) throws(DatasetError) -> InputFile {
        let file: InputFile
        do throws(FileError) {
            file = try InputFile(folder + "/" + name)
        } catch {
            guard error.kind == .notFound else { throw .file(error) }
            throw .missing("\(folder): expected a file \(name) of \(self.name), found none")
        }
        guard file.byteCount > 0, file.byteCount % recordBytes == 0 else {
            throw .file(
                .malformed(
                    file.path,
                    "expected samples of \(recordBytes) bytes, as \(self.name) has them; found "
                        + "\(file.byteCount) bytes"))
        }
        return file
    }

    /// Reads many records at a time and turns planes into pixels.
    private func append(_ file: InputFile, _ images: inout NDArray, _ labels: inout [UInt8])
        throws(DatasetError)
    {
        let count = file.byteCount / recordBytes
        let recordsAtOnce = 512
        for first in stride(from: 0, to: count, by: recordsAtOnce) {
            let last = min(count, first + recordsAtOnce)
            let bytes: [UInt8]
            do throws(FileError) {
                bytes = try file.bytes((first * recordBytes)..<(last * recordBytes))
            } catch { throw .file(error) }
            for record in first..<last {
                let start = (record - first) * recordBytes
                try check(bytes[start..<(start + labelBytes)], record, file)
                interleave(bytes, start + labelBytes, into: &images, labels.count)
                labels.append(bytes[start + labelBytes - 1])
            }
        }
    }

    private func check(_ labels: ArraySlice<UInt8>, _ record: Int, _ file: InputFile)
        throws(DatasetError)
    {
        guard labels.last! < classCount, labels.count == 1 || labels.first! < 20 else {
            throw .file(
                .malformed(
                    file.path,
                    labelBytes == 1
                        ? "sample \(record): expected a class below \(classCount), found \(labels.last!)"
                        : "sample \(record): expected a coarse class below 20 and a class below "
                            + "\(classCount), found \(labels.first!) and \(labels.last!)"))
        }
    }

    private func interleave(
        _ bytes: [UInt8], _ start: Int, into images: inout NDArray, _ sample: Int
    ) {
        images.withUnsafeMutableBytes { target in
            let base = sample * Self.pixels * Self.channels
            for channel in 0..<Self.channels {
                let plane = start + channel * Self.pixels
                for pixel in 0..<Self.pixels {
                    target[base + pixel * Self.channels + channel] = bytes[plane + pixel]
                }
            }
        }
    }

    /// One name per line; nil when there is no such file.
    func classNames(_ path: String) throws(DatasetError) -> [String]? {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try InputFile(path).bytes(limit: 1 << 16)
        } catch {
            if error.kind == .notFound { return nil }
            throw .file(error)
        }
        let names = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { onOneLine(String($0)) }
        guard names.count == classCount else {
            throw .file(
                .malformed(
                    path, "expected the names of \(classCount) classes, found \(names.count)"))
        }
        return names
    }
}
