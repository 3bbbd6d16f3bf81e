import Arrays
import Interchange

extension Dataset {
    /// What a column with answers holds.
    public enum CSVAnswers: Sendable, Hashable {
        /// Classes: numbers from 0 on, or names, which are numbered in sorted order.
        case classes
        /// Numbers to predict.
        case numbers
    }

    /// A table whose one column holds the answers and whose others hold the features.
    ///
    /// Features are Float `[rows, columns]`; labels Int32 `[rows]`, targets Float `[rows, 1]`.
    public static func csv(
        _ path: String, answers column: CSV.Column, as kind: CSVAnswers = .classes,
        header: CSV.Header = .automatic, separator: Character = ","
    ) throws(DatasetError) -> Dataset {
        let table: CSV.Table
        do throws(FileError) {
            table = try CSV.read(
                path, header: header, textColumn: column, separator: separator)
        } catch {
            throw .file(error)
        }
        guard table.values.shape[1] > 0 else {
            throw .inconsistent(
                "\(path): expected columns beside the one with the answers, found none")
        }
        do throws(DatasetError) {
            switch kind {
            case .numbers:
                return try Dataset(features: table.values, targets: targets(table.texts))
            case .classes:
                let numbers = table.texts.compactMap { Int64($0) }
                if numbers.count == table.texts.count, numbers.allSatisfy({ $0 >= 0 }) {
                    return try Dataset(features: table.values, labels: NDArray(numbers))
                }
                let names = Set(table.texts).sorted {
                    $0.utf8.lexicographicallyPrecedes($1.utf8)
                }
                let numberOf = Dictionary(
                    uniqueKeysWithValues: names.enumerated().map { ($1, Int64($0)) })
                return try Dataset(
                    features: table.values, labels: NDArray(table.texts.map { numberOf[$0]! }),
                    classNames: names)
            }
        } catch {
            throw .inconsistent("\(path): \(error)")
        }
    }

    private static func targets(_ texts: [String]) throws(DatasetError) -> NDArray {
        var numbers: [Float] = []
        for (row, text) in texts.enumerated() {
            guard let number = Float(text) else {
                throw .inconsistent(
                    "expected a number as the answer of row \(row + 1), found '\(text)'")
            }
            numbers.append(number)
        }
        return NDArray(numbers, shape: [numbers.count, 1])
    }
}
