import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel predict`
struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a run's probabilities for samples in a file.",
        discussion: """
            Prints a line of probabilities for each sample, as CSV with the classes' names on the \
            first line, or as JSON. Bytes are scaled as the run's data is, other numbers are not; \
            both are normalized if the run's data is.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, json }

    @OptionGroup var argument: RunArgument

    @Option(
        help: ArgumentHelp(
            "Samples: a .npy file, or an IDX file, also gzipped.",
            discussion: """
                Images are [samples, height, width, channels], rows of numbers in that order \
                [samples, values].
                """))
    var input: String

    @Option(help: "csv or json.")
    var format = Format.csv

    private static let batchSize = 500

    func run() throws {
        let trained = try argument.load()
        let image = trained.parts.test.featureShape
        let array: NDArray
        if input.hasSuffix(".npy") {
            try checkShape(NPY.spec(input).shape, image)
            array = try NPY.read(input)
        } else {
            array = try IDX.read(input)
            try checkShape(array.shape, image)
        }
        let count = array.shape[0]
        let isBytes = array.elementType == .uint8
        var data = try Dataset(
            features: array.reshaped(Shape([count] + trained.test.featureShape)),
            labels: NDArray([Int32](repeating: 0, count: count)), classCount: 1,
            scale: isBytes ? trained.test.scale : 1, shift: isBytes ? trained.test.shift : 0)
        if let statistics = trained.test.normalization {
            data = try data.normalized(by: statistics)
        }
        let predictor = Predictor(trained.model) { trained.model.input($0, of: data) }
        let logits = stride(from: 0, to: count, by: Self.batchSize).map { start in
            let rows = data.subset(start..<min(start + Self.batchSize, count))
            return Tensor(predictor(rows.features))
        }
        let classes = logits[0].shape[1]
        let names = trained.test.classNames ?? (0..<classes).map(String.init)
        let probabilities: [Float] = Tensor.concatenate(logits).cast(to: .float32).softmax()
            .evaluate().elements()
        let rows = (0..<count).map { Array(probabilities[($0 * classes)..<(($0 + 1) * classes)]) }
        switch format {
        case .csv:
            print(names.map(Self.csvField).joined(separator: ","))
            for row in rows { print(row.map(\.plainDescription).joined(separator: ",")) }
        case .json:
            for (index, row) in rows.enumerated() {
                let best = row.indices.max { row[$0] < row[$1] } ?? 0
                print(
                    JSONObject([
                        ("sample", .integer(index)), ("class", .text(names[best])),
                        ("probabilities", .list(row.map { .number(Double($0)) })),
                    ]).text)
            }
        }
    }

    /// Throws unless an array holds samples of the run's data: images with their channels last, those of
    /// one channel also without an axis for it, or rows of numbers in that order.
    private func checkShape(_ shape: Shape, _ image: Shape) throws {
        var forms: [[Int]] = [Array(image)]
        if image.rank > 1, image.last == 1 { forms.append(Array(image.dropLast())) }
        if image.rank > 1 { forms.append([image.elementCount]) }
        guard let count = shape.first, count > 0, forms.contains(Array(shape.dropFirst())) else {
            let expected = forms.map { "[samples, \($0.map(String.init).joined(separator: ", "))]" }
            throw FileError.malformed(
                input,
                "expected an array of shape \(expected.joined(separator: " or ")), found \(shape)")
        }
    }

    private static func csvField(_ text: String) -> String {
        guard text.contains(where: { ",\"\n".contains($0) }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
