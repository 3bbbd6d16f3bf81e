import Arrays
import Foundation

/// What other programs computed, from `Tests/Fixtures/data`; the page beside it says what is in the files.
public enum Fixtures {
    /// Reads and decodes a file.
    public static func load<Content: Decodable>(_ name: String, as type: Content.Type) throws
        -> Content
    {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/data")
        return try JSONDecoder().decode(
            type, from: Data(contentsOf: folder.appending(path: name)))
    }
}

/// An array of numbers in a fixture.
public struct FixtureTensor: Decodable, Sendable {
    public let shape: [Int]
    public let values: [Double]

    /// The array in float64.
    public var array: NDArray { NDArray(values, shape: Shape(shape)) }
}

/// An option in a fixture: a number, a word or a truth.
public enum FixtureValue: Decodable, Sendable {
    case number(Double)
    case word(String)
    case truth(Bool)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let truth = try? container.decode(Bool.self) {
            self = .truth(truth)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .word(try container.decode(String.self))
        }
    }

    public var number: Double? { if case .number(let value) = self { value } else { nil } }
    public var word: String? { if case .word(let value) = self { value } else { nil } }
    public var truth: Bool? { if case .truth(let value) = self { value } else { nil } }
}

/// One call of an operation: inputs, output, and the gradients that an upstream gradient gave.
public struct OperationFixture: Decodable, Sendable, CustomStringConvertible {
    public let operation: String
    public let input: String?
    public let attributes: [String: FixtureValue]
    public let inputs: [String: FixtureTensor]
    public let output: FixtureTensor
    public let upstream: FixtureTensor
    public let gradients: [String: FixtureTensor]

    public var description: String { "\(operation) \(input ?? "") \(attributes)" }
}

/// A file of such calls.
public struct OperationFixtures: Decodable, Sendable {
    public let cases: [OperationFixture]
}
