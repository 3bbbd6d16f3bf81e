import Arrays
import Datasets
import Testing
import Training

import TensorBoard

@Suite("Pictures for TensorBoard")
struct PictureTests {
    private func images(_ count: Int, _ height: Int, _ width: Int, _ channels: Int) throws
        -> Dataset
    {
        let pixels = (0..<(count * height * width * channels)).map { UInt8($0 % 251) }
        return try Dataset(
            features: NDArray(pixels, shape: [count, height, width, channels]),
            labels: NDArray([Int32](repeating: 0, count: count)), classCount: 2)
    }

    @Test(
        "A grid holds its samples and is never large",
        arguments: [
            [1, 5, 7, 3], [9, 4, 4, 1], [40, 28, 28, 1], [3, 300, 200, 1], [2, 1, 2000, 3],
        ])
    func samples(shape: [Int]) throws {
        let data = try images(shape[0], shape[1], shape[2], shape[3])
        let grid = try #require(Picture.samples(data, count: 32))
        #expect(grid.width <= Picture.largestSide && grid.height <= Picture.largestSide)
        #expect(grid.channels == shape[3])
        // The first sample stands in the upper left corner; a line ends it.
        let first = try #require(Picture(data, sample: 0))
        #expect(grid.pixels.prefix(shape[3]).elementsEqual(first.pixels.prefix(shape[3])))
        if shape[1...2].max()! <= 255 {
            for y in 0..<shape[1] {
                let row = shape[2] * shape[3]
                let place = y * grid.width * shape[3]
                #expect(
                    grid.pixels[place..<(place + row)]
                        .elementsEqual(first.pixels[(y * row)..<((y + 1) * row)]))
                #expect(grid.pixels[place + row] == 128)
            }
        }
    }

    @Test func noImagesNoGrid() throws {
        let rows = try Dataset(
            features: NDArray([Float](repeating: 0, count: 6), shape: [2, 3]),
            labels: NDArray([Int32(0), 1]))
        #expect(Picture.samples(rows, count: 32) == nil)
    }

    @Test("A confusion matrix is dark where the samples are", arguments: [1, 2, 10, 100, 256])
    func confusion(classes: Int) throws {
        var matrix = ConfusionMatrix(classes: classes)
        for label in 0..<classes { matrix.add(actual: label, predicted: label) }
        let picture = try #require(Picture.confusion(matrix))
        #expect(picture.width == picture.height && picture.width <= 640)
        let cell = (picture.width - 1) / classes
        func colour(_ actual: Int, _ predicted: Int) -> UInt8 {
            picture.pixels[((actual * cell + 1) * picture.width + predicted * cell + 1) * 3]
        }
        #expect(colour(classes - 1, classes - 1) == 8)
        if classes > 1 {
            #expect(colour(0, 1) == 244 && colour(1, 0) == 244)
        }
        #expect(Picture.confusion(ConfusionMatrix(classes: 257)) == nil)
    }
}
