import Arrays
import Datasets
import FileTestSupport
import Interchange
import Testing

@Suite struct PictureTests {
    @Test("Pictures are written as they are read", arguments: [1, 3], [true, false])
    func roundTrip(channels: Int, isNoise: Bool) throws {
        var generator = PhiloxGenerator(seed: 5)
        for (width, height) in [(1, 1), (7, 5), (1, 300), (300, 1), (150, 200)] {
            let pixels = (0..<(width * height * channels)).map {
                isNoise ? UInt8(truncatingIfNeeded: generator.next()) : UInt8($0 / 7 % 256)
            }
            let picture = Picture(pixels, width: width, height: height, channels: channels)
            let tree = try FolderTree()
            for name in ["a", "b"] { try tree.write(picture.png, "\(name)/1.png") }
            let read = try Dataset.imageFolder(tree.path).dataset
            #expect(read.features.shape == [2, height, width, channels])
            #expect(Picture(read, sample: 1) == picture)
        }
    }

    @Test func onlyImagesOfBytesArePictures() throws {
        for features in [
            NDArray([Float](repeating: 1, count: 8), shape: [2, 2, 2, 1]),
            NDArray([UInt8](repeating: 1, count: 8), shape: [2, 4]),
            NDArray([UInt8](repeating: 1, count: 16), shape: [2, 2, 2, 2]),
        ] {
            let data = try Dataset(features: features, labels: NDArray([Int32(0), 1]))
            #expect(Picture(data, sample: 0) == nil)
        }
    }
}
