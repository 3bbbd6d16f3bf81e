import Foundation

/// Numbers as people read them.
package enum NumberText {
    /// With about so many significant digits, without zeros at the end.
    package static func short(_ value: Double, digits: Int = 4) -> String {
        guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "-∞" }
        let size = abs(value)
        if value == value.rounded() && size < 1e6 { return String(format: "%.0f", value) }
        if size >= 1e-3 && size < 1e6 {
            let places = max(0, digits - 1 - Int(log10(size).rounded(.down)))
            return trimmed(String(format: "%.\(places)f", value))
        }
        let parts = String(format: "%.\(digits - 1)e", value).split(separator: "e")
        return trimmed(String(parts[0])) + "e\(Int(parts[1]) ?? 0)"
    }

    /// A power of ten, or another number, at an axis.
    static func tick(_ value: Double) -> String { short(value, digits: 3) }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var result = Substring(text)
        while result.last == "0" { result.removeLast() }
        if result.last == "." { result.removeLast() }
        return String(result)
    }
}
