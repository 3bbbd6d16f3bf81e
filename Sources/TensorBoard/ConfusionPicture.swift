import Datasets
import Training

extension Picture {
    /// More classes than this have no picture.
    static let mostClasses = 256

    /// A confusion matrix: a row for each class that samples belong to, a column for each that they were
    /// taken for, darker the larger the share of the row, in percent where there is room for the digits.
    /// Nil with more than ``mostClasses`` classes.
    package static func confusion(_ matrix: ConfusionMatrix) -> Picture? {
        let classes = matrix.classes
        guard classes <= mostClasses else { return nil }
        let cell = max(min(36, 512 / classes), 2)
        let side = classes * cell + 1
        var pixels = [UInt8](repeating: 255, count: side * side * 3)
        func paint(_ y: Int, _ x: Int, _ colour: [UInt8]) {
            let place = (y * side + x) * 3
            pixels.replaceSubrange(place..<(place + 3), with: colour)
        }
        for actual in 0..<classes {
            let total = (0..<classes).reduce(0) { $0 + matrix[actual: actual, predicted: $1] }
            for predicted in 0..<classes {
                let count = matrix[actual: actual, predicted: predicted]
                let share = total > 0 ? Double(count) / Double(total) : 0
                let (top, left) = (actual * cell + 1, predicted * cell + 1)
                for y in 0..<(cell - 1) {
                    for x in 0..<(cell - 1) { paint(top + y, left + x, shade(share)) }
                }
                guard cell >= 16, count > 0 else { continue }
                let ink: [UInt8] = share > 0.45 ? [255, 255, 255] : [30, 30, 30]
                let scale = cell >= 30 ? 2 : 1
                let digits = Array("\(Int((share * 100).rounded()))")
                let size = (width: (digits.count * 4 - 1) * scale, height: 5 * scale)
                for (index, digit) in digits.enumerated() {
                    for (y, x) in Digit.dots(digit) {
                        for dot in 0..<(scale * scale) {
                            paint(
                                top + (cell - 1 - size.height) / 2 + y * scale + dot / scale,
                                left + (cell - 1 - size.width) / 2 + (index * 4 + x) * scale
                                    + dot % scale, ink)
                        }
                    }
                }
            }
        }
        return Picture(pixels, width: side, height: side, channels: 3)
    }

    /// From nearly white to dark blue, with most of the change where mistakes are.
    private static func shade(_ share: Double) -> [UInt8] {
        let part = share.squareRoot()
        return zip([244.0, 247, 251], [8.0, 48, 107]).map { UInt8($0 + ($1 - $0) * part) }
    }
}

/// Digits of three by five dots.
private enum Digit {
    private static let rows: [Character: [UInt8]] = [
        "0": [7, 5, 5, 5, 7], "1": [2, 6, 2, 2, 7], "2": [7, 1, 7, 4, 7], "3": [7, 1, 3, 1, 7],
        "4": [5, 5, 7, 1, 1], "5": [7, 4, 7, 1, 7], "6": [7, 4, 7, 5, 7], "7": [7, 1, 2, 2, 2],
        "8": [7, 5, 7, 5, 7], "9": [7, 5, 7, 1, 7],
    ]

    static func dots(_ digit: Character) -> [(y: Int, x: Int)] {
        (rows[digit] ?? []).enumerated().flatMap { y, row in
            (0..<3).filter { row >> (2 - $0) & 1 == 1 }.map { (y, $0) }
        }
    }
}
