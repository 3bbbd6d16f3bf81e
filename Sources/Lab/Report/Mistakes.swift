import Arrays
import Datasets
import Foundation
import Training

/// Which classes a model takes for which, with samples.
struct Mistakes {
    private let matrix: ConfusionMatrix
    private let names: [String]
    private let test: Dataset
    /// The first samples of each mistake, the most frequent mistakes first.
    private let examples: [(actual: Int, predicted: Int, count: Int, samples: [Int])]

    private static let shownMistakes = 10
    private static let shownSamples = 6
    /// With more classes a matrix cannot be read.
    private static let maximumClasses = 40

    /// Nil when the data has no classes, too many, or others than the outputs.
    init?(_ outputs: NDArray, _ test: Dataset) {
        guard let classes = test.classCount, let labels = test.labels,
            classes <= Self.maximumClasses, outputs.shape == [test.count, classes]
        else { return nil }
        let scores = outputs.elements(as: Float.self)
        let actual = labels.elements(as: Int32.self).map(Int.init)
        var matrix = ConfusionMatrix(classes: classes)
        var samples: [[Int]] = Array(repeating: [], count: classes * classes)
        for sample in 0..<test.count {
            let row = scores[(sample * classes)..<((sample + 1) * classes)]
            // The first of the largest, as accuracy is counted.
            let predicted = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
            let taken = predicted - row.startIndex
            matrix.add(actual: actual[sample], predicted: taken)
            let place = actual[sample] * classes + taken
            if samples[place].count < Self.shownSamples { samples[place].append(sample) }
        }
        self.matrix = matrix
        self.test = test
        names = test.classNames ?? (0..<classes).map(String.init)
        let pairs = (0..<(classes * classes)).filter { $0 / classes != $0 % classes }
        examples = pairs.map { pair in
            let (actual, predicted) = (pair / classes, pair % classes)
            return (actual, predicted, matrix[actual: actual, predicted: predicted], samples[pair])
        }.filter { $0.count > 0 }.sorted { $0.count > $1.count }.prefix(Self.shownMistakes).map {
            $0
        }
    }

    /// `[actual][predicted]`
    var counts: [[Int]] {
        (0..<matrix.classes).map { actual in
            (0..<matrix.classes).map { matrix[actual: actual, predicted: $0] }
        }
    }

    var chart: Chart {
        let map = Chart.HeatMap(
            x: "taken for", y: "is", columns: names, rows: names,
            values: counts.map { row in
                let total = Double(max(row.reduce(0, +), 1))
                return row.map { (Double($0) / total * 1000).rounded() / 10 }
            },
            valueLabel: "percent of the class")
        return Chart(
            "Confusion matrix",
            summary:
                "Accuracy \(NumberText.short(matrix.accuracy * 100)) % of \(matrix.total) samples.",
            .heatMap(map))
    }

    /// The most frequent mistakes as a table, with pictures where the samples are pictures.
    var samples: String {
        let rows = examples.map { example in
            let pictures = example.samples.compactMap { picture($0) }.map {
                Markup.element("td", [:], $0)
            }
            return "<tr><th scope=\"row\">\(Markup.escape(names[example.actual]))</th>"
                + "<td>\(Markup.escape(names[example.predicted]))</td>"
                + "<td class=\"number\">\(example.count)</td>\(pictures.joined())</tr>"
        }
        return "<h3>Most frequent mistakes</h3><div class=\"table samples\" tabindex=\"0\"><table>"
            + "<thead><tr><th scope=\"col\">is</th><th scope=\"col\">taken for</th>"
            + "<th scope=\"col\">times</th><th scope=\"col\" colspan=\"\(Self.shownSamples)\">"
            + "examples</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>"
    }

    private func picture(_ sample: Int) -> String? {
        let shape = test.featureShape
        guard shape.rank == 3, shape[0] <= 64, shape[1] <= 64,
            let picture = Picture(test, sample: sample)
        else { return nil }
        let address = "data:image/png;base64," + Data(picture.png).base64EncodedString()
        return "<img alt=\"test sample \(sample)\" src=\"\(address)\">"
    }
}
