import Arrays
import Foundation
import Interchange
import FileTestSupport
import Testing

/// Files that NumPy and the safetensors package wrote (`Tests/Fixtures/make_interchange.py`).
@Suite struct FixtureTests {
    struct Contents: Decodable {
        /// The Int64 extremes need all their digits, which Double does not have.
        enum Value: Decodable {
            case integer(Int64)
            case number(Double)
            case truth(Bool)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let value = try? container.decode(Int64.self) {
                    self = .integer(value)
                } else if let value = try? container.decode(Double.self) {
                    self = .number(value)
                } else {
                    self = .truth(try container.decode(Bool.self))
                }
            }
        }

        struct Array: Decodable {
            let file: String?
            let name: String?
            let dtype: String
            let shape: [Int]
            let values: [Value]
        }

        let npy: [Array]
        let safetensors: [Array]
        let safetensorsMetadata: [String: String]
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/data")

    static func contents() throws -> Contents {
        let data = try Data(contentsOf: folder.appending(path: "interchange.json"))
        return try JSONDecoder().decode(Contents.self, from: data)
    }

    static func check(_ array: NDArray, _ expected: Contents.Array, _ types: [String: ElementType])
    {
        let type = types[String(expected.dtype.drop { "<>|".contains($0) })]
        let label = Comment(rawValue: expected.file ?? expected.name ?? "")
        #expect(array.elementType == type, label)
        #expect(array.shape == Shape(expected.shape), label)
        let integers = array.elements(as: Int64.self)
        let numbers = array.elements(as: Double.self)
        #expect(numbers.count == expected.values.count, label)
        for (index, value) in expected.values.enumerated() {
            switch value {
            case .integer(let integer) where type?.isFloatingPoint == false:
                #expect(integers[index] == integer, label)
            case .integer(let integer): #expect(numbers[index] == Double(integer), label)
            case .number(let number): #expect(numbers[index] == number, label)
            case .truth(let truth): #expect(numbers[index] == (truth ? 1 : 0), label)
            }
        }
    }

    @Test func readsWhatNumPyWrote() throws {
        let types: [String: ElementType] = [
            "b1": .bool, "u1": .uint8, "i4": .int32, "i8": .int64, "f2": .float16, "f4": .float32,
            "f8": .float64,
        ]
        let arrays = try Self.contents().npy
        #expect(arrays.count >= 12)
        for expected in arrays {
            let path = Self.folder.appending(path: "interchange/" + expected.file!).path
            Self.check(try NPY.read(path), expected, types)
        }
    }

    @Test func readsWhatSafetensorsWrote() throws {
        let types: [String: ElementType] = [
            "BOOL": .bool, "U8": .uint8, "I32": .int32, "I64": .int64, "BF16": .bfloat16,
            "F16": .float16, "F32": .float32, "F64": .float64,
        ]
        let contents = try Self.contents()
        let path = Self.folder.appending(path: "interchange/all_types.safetensors").path
        let file = try Safetensors(contentsOf: path)
        #expect(file.metadata == contents.safetensorsMetadata)
        #expect(Set(file.names) == Set(contents.safetensors.map { $0.name! }))
        for expected in contents.safetensors {
            Self.check(try file.array(expected.name!), expected, types)
        }
    }
}
