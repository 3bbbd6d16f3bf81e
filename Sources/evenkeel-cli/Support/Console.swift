import EvenKeel
import Foundation

/// Where a command's output goes: human text to standard output, or, when standard output is for JSON,
/// to standard error.
struct Console {
    let isJSON: Bool

    var human: FileHandle { isJSON ? .standardError : .standardOutput }

    func say(_ text: String) { Self.write(text + "\n", to: human) }

    /// One JSON object on a line of its own; nothing unless JSON was asked for.
    func event(_ object: JSONObject) {
        if isJSON { Self.write(object.text + "\n", to: .standardOutput) }
    }

    static func writeError(_ text: String) { write(text + "\n", to: .standardError) }

    private static func write(_ text: String, to file: FileHandle) {
        try? file.write(contentsOf: Data(text.utf8))
    }
}

/// A JSON object with its keys in order.
struct JSONObject {
    let members: [(key: String, value: Value)]

    init(_ members: [(key: String, value: Value)]) { self.members = members }

    /// An event, as `--json` prints it.
    init(event: String, _ members: [(key: String, value: Value)]) {
        self.init([("event", .text(event))] + members)
    }

    enum Value {
        case text(String)
        case number(Double)
        case integer(Int)
        case list([Value])

        var text: String {
            switch self {
            case .text(let value): JSONObject.quoted(value)
            case .number(let value): value.isFinite ? "\(value)" : "null"
            case .integer(let value): "\(value)"
            case .list(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
            }
        }
    }

    var text: String {
        "{" + members.map { "\(Self.quoted($0)):\($1.text)" }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}": result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

func decimal(_ value: Double, _ digits: Int) -> String {
    value.isFinite ? String(format: "%.\(digits)f", value) : value.plainDescription
}
