import Arrays
import Foundation

/// What the scripts in Tests/Fixtures computed with other libraries.
enum Fixtures {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/data")

    static func read<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
        let data = try Data(contentsOf: folder.appending(path: name + ".json"))
        return try JSONDecoder().decode(Content.self, from: data)
    }

    struct Tensor: Decodable {
        var shape: [Int]
        var values: [Double]
        var array: NDArray { NDArray(values, shape: Shape(shape)) }
    }

    /// A number, a list of numbers, or a switch.
    enum Option: Decodable {
        case number(Double)
        case list([Double])
        case flag(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .list(try container.decode([Double].self))
            }
        }

        var number: Double { if case .number(let value) = self { value } else { .nan } }
        var list: [Double] { if case .list(let value) = self { value } else { [] } }
        var flag: Bool { if case .flag(let value) = self { value } else { false } }
    }
}
