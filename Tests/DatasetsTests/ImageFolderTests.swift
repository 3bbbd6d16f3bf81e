import Arrays
import Datasets
import FileTestSupport
import Foundation
import Interchange
import Testing

@Suite struct ImageFolderTests {
    private func read(
        _ tree: FolderTree, _ options: ImageFolder.Options = ImageFolder.Options(),
        classNames: [String]? = nil
    ) throws(DatasetError) -> ImageFolder {
        try Dataset.imageFolder(tree.path, options, classNames: classNames)
    }

    private func complaint(
        _ tree: FolderTree, _ options: ImageFolder.Options = ImageFolder.Options()
    ) -> String? {
        datasetFailure { () throws(DatasetError) in try read(tree, options) }
    }

    private func bytes(_ folder: ImageFolder, _ sample: Int) -> [UInt8] {
        folder.dataset.features.rows(sample..<(sample + 1)).elements(as: UInt8.self)
    }

    @Test(arguments: [1, 3])
    func pngIsExactAndJPEGIsClose(channels: Int) throws {
        let tree = try FolderTree()
        let images = (0..<5).map { TestImage(7, 9, channels: channels, phase: $0) }
        for (index, image) in images.enumerated() {
            try tree.write(image.png(), "b cat/\(index).PNG")
            try tree.write(image.jpeg(), "a dog/\(index).jpg")
        }
        try tree.write([1, 2, 3], "a dog/notes.txt")
        try tree.write([1, 2, 3], ".hidden/x.png")
        let folder = try read(tree)
        #expect(folder.dataset.classNames == ["a dog", "b cat"])
        #expect(folder.dataset.features.shape == [10, 7, 9, channels])
        #expect(folder.dataset.labels?.elements(as: Int32.self) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
        #expect(folder.skipped.isEmpty)
        #expect(folder.paths[7] == tree.path + "/b cat/2.PNG")
        for (index, image) in images.enumerated() {
            #expect(bytes(folder, 5 + index) == image.pixels)
            let error = zip(bytes(folder, index), image.pixels).map { abs(Int($0) - Int($1)) }
            #expect(error.max()! <= 4)
        }
    }

    @Test func greyAndAlphaBecomeColour() throws {
        let tree = try FolderTree()
        let grey = TestImage(4, 4, channels: 1)
        var clear = TestImage(4, 4, channels: 4)
        for pixel in 0..<16 { clear.pixels[pixel * 4 + 3] = pixel % 2 == 0 ? 255 : 0 }
        try tree.write(grey.png(), "a/1.png")
        try tree.write(clear.png(), "a/2.png")
        let folder = try read(tree)
        #expect(bytes(folder, 0) == grey.pixels.flatMap { [$0, $0, $0] })
        let expected: [UInt8] = (0..<16).flatMap { pixel -> [UInt8] in
            pixel % 2 == 0 ? Array(clear.pixels[(pixel * 4)..<(pixel * 4 + 3)]) : [0, 0, 0]
        }
        #expect(bytes(folder, 1) == expected)
        var options = ImageFolder.Options()
        options.channels = 1
        #expect(try read(tree, options).dataset.features.shape == [2, 4, 4, 1])
    }

    @Test func damagedImagesAreSkippedAndListed() throws {
        let tree = try FolderTree()
        let image = TestImage(16, 16)
        for (index, bytes) in [image.png(), image.jpeg()].enumerated() {
            try tree.write(bytes, "a/good\(index).png")
            try tree.write(Array(bytes.dropLast(bytes.count / 3)), "a/cut\(index).png")
            try tree.write(Array(bytes.prefix(6)), "a/head\(index).png")
        }
        var flipped = image.png()
        flipped[flipped.count / 2] ^= 0x10
        try tree.write(flipped, "a/flipped.png")
        try tree.write([], "a/empty.jpg")
        try tree.write(Array("GIF89a".utf8), "a/other.jpeg")
        let folder = try read(tree)
        #expect(folder.paths.map { $0.split(separator: "/").last } == ["good0.png", "good1.png"])
        #expect(folder.dataset.count == 2)
        #expect(bytes(folder, 0) == image.pixels)
        #expect(
            folder.skipped.map { $0.path.split(separator: "/").last! } == [
                "cut0.png", "cut1.png", "empty.jpg", "flipped.png", "head0.png", "head1.png",
                "other.jpeg",
            ])
        #expect(folder.skipped.allSatisfy { !$0.reason.isEmpty })
    }

    @Test func whatEndsInsideItsHeaderIsCutShort() throws {
        let tree = try FolderTree()
        let image = TestImage(16, 16)
        try tree.write(image.jpeg(), "a/0.jpg")
        // Behind the first marker, before the frame header, which tells the size.
        let jpeg = image.jpeg()
        let frame = (0..<jpeg.count).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 }!
        for count in [4, 20, frame] { try tree.write(Array(jpeg.prefix(count)), "a/\(count).jpg") }
        let skipped = try read(tree).skipped
        #expect(skipped.count == 3)
        #expect(skipped.allSatisfy { !$0.reason.contains("0 x 0") }, "\(skipped)")
    }

    @Test func bombsAreRefusedByTheirHeader() throws {
        let tree = try FolderTree()
        try tree.write(TestImage(3, 3).png(), "a/good.png")
        try tree.write(pngBomb(height: 50_000, width: 60_000), "a/bomb.png")
        // A JPEG says its size in the frame header: marker, length, precision, height, width.
        var jpeg = TestImage(3, 3).jpeg()
        let frame = (0..<jpeg.count).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 }!
        jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0xF0, 0, 0xF0, 0])
        try tree.write(jpeg, "a/bomb.jpg")
        let limit = 256 << 20
        let growth = try memoryGrowth(limit: limit) {
            let folder = try read(tree)
            #expect(folder.dataset.count == 1)
            #expect(folder.skipped.map(\.kind) == [.limitExceeded, .limitExceeded])
            #expect(folder.skipped[1].reason.contains("50000 x 60000 pixels"))
        }
        #expect(growth < limit)

        var options = ImageFolder.Options()
        options.pixelLimit = 8
        #expect(try #require(complaint(tree, options)).contains("none of the 3 images"))
        options = ImageFolder.Options()
        options.byteLimit = 50
        #expect(try #require(complaint(tree, options)).contains("more than the 50 there are"))
    }

    @Test func imagesBeyondTheMachinesMemoryAreRefused() throws {
        let tree = try FolderTree()
        let bomb = pngBomb(height: 8192, width: 8192)
        for index in 0...(PhysicalMemory.byteCount / 2 / (8192 * 8192)) {
            try tree.write(bomb, "a/\(index).png")
        }
        var options = ImageFolder.Options(channels: 1)
        options.byteLimit = .max
        let sentence = try #require(complaint(tree, options))
        #expect(sentence.contains("more than the \(PhysicalMemory.byteCount / 2) there are"))
        #expect(sentence.contains(tree.path))
        let parts = datasetFailure { () throws(DatasetError) in
            try Dataset.parts(folder: tree.path)
        }
        #expect(try #require(parts).contains("bytes of memory"))
    }

    @Test func sizesMustAgreeOrBeChosen() throws {
        let tree = try FolderTree()
        try tree.write(TestImage(4, 6).png(), "a/1.png")
        try tree.write(TestImage(8, 8).jpeg(), "b/2.jpg")
        let sentence = try #require(complaint(tree))
        #expect(sentence.contains("/b/2.jpg: expected 4 x 6 pixels"))
        #expect(sentence.contains("found 8 x 8"))
        let folder = try read(tree, .init(size: .init(height: 2, width: 3)))
        #expect(folder.dataset.features.shape == [2, 2, 3, 3])
        // 4 x 6 to 2 x 3: the means of squares of four pixels.
        let source = TestImage(4, 6).pixels
        var means: [UInt8] = []
        for (y, x) in [(0, 0), (0, 2), (0, 4), (2, 0), (2, 2), (2, 4)] {
            for channel in 0..<3 {
                let corners = [(y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1)]
                let sum = corners.reduce(2) { $0 + Int(source[($1.0 * 6 + $1.1) * 3 + channel]) }
                means.append(UInt8(sum / 4))
            }
        }
        #expect(bytes(folder, 0) == means)
    }

    @Test(arguments: [(5, 9), (9, 5), (1, 1), (3, 3), (12, 7)])
    func aFlatImageStaysFlatAtAnySize(height: Int, width: Int) throws {
        let tree = try FolderTree()
        var image = TestImage(5, 7, channels: 1)
        image.pixels = image.pixels.map { _ in 201 }
        try tree.write(image.png(), "a/1.png")
        let folder = try read(tree, .init(size: .init(height: height, width: width)))
        #expect(bytes(folder, 0) == [UInt8](repeating: 201, count: height * width))
    }

    @Test func foldersWithoutImagesAreNamed() throws {
        let tree = try FolderTree()
        #expect(try #require(complaint(tree)).contains("expected a folder for each class"))
        try tree.write(TestImage(2, 2).png(), "cat/1.png")
        try tree.write([1], "dog/readme.md")
        #expect(try #require(complaint(tree)).contains("/dog: expected PNG or JPEG images"))
        try tree.write([1], "dog/1.png")
        #expect(try #require(complaint(tree)).contains("/dog: none of the 1 images can be read"))
        try tree.write(TestImage(2, 2).png(), "dog/1.png")
        #expect(complaint(tree) == nil)
        let missing = datasetFailure { () throws(DatasetError) in
            try Dataset.imageFolder(tree.path + "/nowhere")
        }
        #expect(try #require(missing).contains("there is no such folder"))
    }

    @Test func testPartsUseTheClassesOfTheTrainingPart() throws {
        let tree = try FolderTree()
        try tree.write(TestImage(2, 2).png(), "dog/1.png")
        let folder = try read(tree, classNames: ["cat", "dog"])
        #expect(folder.dataset.labels?.elements(as: Int32.self) == [1])
        #expect(folder.dataset.classCount == 2)
        let unknown = datasetFailure { () throws(DatasetError) in
            try read(tree, classNames: ["cat"])
        }
        #expect(try #require(unknown).contains("/dog: this class is not one of the 1 known"))
    }

    @Test func filesThatCannotBeOpenedOrNamedAreListed() throws {
        let tree = try FolderTree()
        try tree.write(TestImage(2, 2).png(), "a/1.png")
        try tree.write([1], "a/2.png")
        for name in ["a/0.png", "a/notes"] {
            precondition(symlink("/nowhere", "\(tree.path)/\(name)") == 0)
        }
        // No UTF-8: a byte that begins nothing.
        let name = Array("\(tree.path)/a/".utf8) + [0xFF] + Array(".jpg".utf8) + [0]
        let descriptor = name.withUnsafeBytes {
            open($0.assumingMemoryBound(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY, 0o644)
        }
        precondition(descriptor >= 0)
        close(descriptor)
        let folder = try read(tree)
        #expect(folder.dataset.count == 1)
        #expect(
            folder.skipped.map(\.description) == [
                "\(tree.path)/a/0.png: the link leads nowhere",
                "\(tree.path)/a/\u{FFFD}.jpg: the name is not UTF-8",
                "\(tree.path)/a/2.png: expected a PNG or JPEG file, found neither",
            ])
        try tree.write(TestImage(2, 2).png(), "a/3.png")
        try tree.write(TestImage(2, 2).png(), "a/4.png")
        let parts = try Dataset.parts(folder: tree.path)
        #expect((parts.unreadable.count, parts.count) == (3, 6))
    }

    @Test func namesOfFilesAreFitForATerminal() throws {
        let tree = try FolderTree()
        try tree.write(TestImage(2, 2).png(), "a/1.png")
        try tree.write([1], "a/2\n\u{1B}[31m.png")
        let error = try #require(try read(tree).skipped.first)
        #expect(error.path.hasSuffix("2\n\u{1B}[31m.png"))
        #expect(
            error.description
                == "\(tree.path)/a/2  [31m.png: expected a PNG or JPEG file, found neither")
    }

    @Test func classesAreToldApartByTheirBytes() throws {
        let tree = try FolderTree()
        // The same letter as one scalar and as two.
        let names = ["e\u{301}", "\u{E9}"]
        #expect(names[0] == names[1])
        for name in names {
            precondition(mkdir("\(tree.path)/\(name)", 0o755) == 0)
            try tree.write(TestImage(2, 2).png(), "\(name)/1.png")
        }
        let folder = try read(tree)
        #expect(folder.dataset.classNames?.map { Array($0.utf8) } == names.map { Array($0.utf8) })
        #expect(folder.dataset.labels?.elements(as: Int32.self) == [0, 1])
        let unknown = datasetFailure { () throws(DatasetError) in
            try read(tree, classNames: [names[1]])
        }
        #expect(try #require(unknown).contains("is not one of the 1 known"))
    }

    @Test func threadsDoNotChangeTheResult() throws {
        let tree = try FolderTree()
        for index in 0..<23 {
            let image = TestImage(6, 5, phase: index)
            try tree.write(index % 2 == 0 ? image.png() : image.jpeg(), "\(index % 3)/\(index).png")
            if index % 5 == 0 { try tree.write([1, 2], "\(index % 3)/bad\(index).png") }
        }
        var options = ImageFolder.Options()
        let results = try [1, 2, 7, 64].map { threads in
            options.threads = threads
            return try read(tree, options)
        }
        for result in results {
            #expect(result.dataset.features == results[0].dataset.features)
            #expect(result.paths == results[0].paths)
            #expect(result.skipped == results[0].skipped)
        }
        #expect(results[0].skipped.count == 5)
    }

    @Test func foldersAreRecognizedByTheirContent() throws {
        let split = try FolderTree()
        let plain = try FolderTree()
        for index in 0..<10 {
            let image = TestImage(3, 3, phase: index).png()
            try split.write(image, "train/c\(index % 2)/\(index).png")
            try plain.write(image, "c\(index % 2)/\(index).png")
        }
        try split.write(TestImage(3, 3, channels: 1).png(), "val/c1/x.png")
        try split.write([0], "val/c1/y.png")
        let parts = try Dataset.parts(folder: split.path)
        #expect(parts.train.count == 10)
        #expect(parts.test.features.shape == [1, 3, 3, 3])
        #expect(parts.test.labels?.elements(as: Int32.self) == [1])
        #expect(parts.skipped.count == 1)
        let divided = try Dataset.parts(folder: plain.path)
        #expect((divided.train.count, divided.test.count) == (8, 2))

        let cifar = try FolderTree()
        let record = [UInt8](repeating: 1, count: 3074)
        try cifar.write(record, "train.bin")
        try cifar.write(record + record, "test.bin")
        #expect(try Dataset.parts(folder: cifar.path).test.count == 2)

        try split.write(TestImage(4, 3).png(), "val/c1/x.png")
        let unequal = datasetFailure { () throws(DatasetError) in
            try Dataset.parts(folder: split.path)
        }
        #expect(try #require(unequal).contains("/val: expected images of shape [3, 3, 3]"))
        // One part alone is none, unless it is a class.
        for part in ["train", "test", "val"] {
            let half = try FolderTree()
            try half.write(TestImage(3, 3).png(), "\(part)/c0/1.png")
            let sentence = datasetFailure { () throws(DatasetError) in
                try Dataset.parts(folder: half.path)
            }
            #expect(
                try #require(sentence)
                    == "\(half.path): expected folders train and test (or val), or a folder of images "
                    + "for each class; found \(part) alone, with folders in it")
            for index in 2..<7 { try half.write(TestImage(3, 3).png(), "\(part)/\(index).png") }
            #expect(try Dataset.parts(folder: half.path).train.classNames == [part])
        }

        let empty = try FolderTree()
        let none = datasetFailure { () throws(DatasetError) in
            try Dataset.parts(folder: empty.path)
        }
        #expect(try #require(none).contains("found none of them"))
    }

    /// Whatever the bytes: pixels or an error, never a crash.
    @Test func damagedBytesNeverCrash() throws {
        var generator = PhiloxGenerator(seed: testSeed)
        let originals = [
            TestImage(9, 7).png(), TestImage(9, 7, channels: 2).png(), TestImage(9, 7).jpeg(),
            TestImage(9, 7, channels: 1).jpeg(),
        ]
        let tree = try FolderTree()
        for index in 0..<200 {
            try tree.write(generator.mutate(originals[index % 4]), "a/\(index).png")
        }
        try tree.write(originals[0], "a/good.png")
        var options = ImageFolder.Options(size: .init(height: 4, width: 4))
        options.pixelLimit = 1 << 16
        let folder = try read(tree, options)
        #expect(folder.dataset.count + folder.skipped.count == 201, "seed \(testSeed)")
        #expect(folder.skipped.count > 20, "seed \(testSeed)")
    }
}
