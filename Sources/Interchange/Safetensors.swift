import Arrays

/// A safetensors file: named arrays behind a JSON header.
///
/// Opening a file reads and checks the header; an array's bytes are read when it is asked for, into
/// aligned memory of its own. Nothing is allocated that the file does not hold. Refused with an
/// error: headers longer than the file or than 100 MB, names that appear twice, shapes whose size
/// overflows, byte ranges that overlap, leave holes, lie outside the file or do not fit the shape.
///
/// The format: https://github.com/huggingface/safetensors#format
public struct Safetensors: Sendable {
    /// Longer headers are refused, as the format's own implementation does.
    public static let maximumHeaderByteCount = 100_000_000

    /// What the header says about an array.
    public struct Entry: Sendable, Hashable {
        public let name: String
        public let shape: Shape
        /// The format's name of the type, such as `F32`.
        public let typeName: String
        /// Nil when arrays of this library cannot have the type; reading the array throws then.
        public let elementType: ElementType?
        /// Where the bytes lie, counted from the beginning of the file.
        public let byteRange: Range<Int>
    }

    /// All arrays in the order of their bytes in the file.
    public let entries: [Entry]
    /// The text stored under `__metadata__`; empty when there is none.
    public let metadata: [String: String]
    private let file: InputFile
    /// By the bytes of the name: Swift's strings are equal when they look the same, the format's
    /// are not.
    private let indices: [[UInt8]: Int]

    /// Opens a file and checks its header.
    public init(contentsOf path: String) throws(FileError) {
        file = try InputFile(path)
        let header = try SafetensorsHeader(file)
        entries = header.entries
        metadata = header.metadata
        indices = [[UInt8]: Int](
            uniqueKeysWithValues: header.entries.enumerated().map { (Array($1.name.utf8), $0) })
    }

    public var path: String { file.path }

    /// All names, sorted by their bytes.
    public var names: [String] { entries.map(\.name).sorted(by: utf8Precedes) }

    public func contains(_ name: String) -> Bool { indices[Array(name.utf8)] != nil }

    /// What the header says about an array, or nil when there is none of this name.
    public func entry(_ name: String) -> Entry? { indices[Array(name.utf8)].map { entries[$0] } }

    /// Reads an array. Throws when there is none of this name or its type has no counterpart here.
    public func array(_ name: String) throws(FileError) -> NDArray {
        guard let entry = entry(name) else {
            throw .malformed(path, "expected a tensor named '\(name)', found none")
        }
        guard let type = entry.elementType else {
            throw .unsupported(
                path,
                "the tensor '\(name)' has the type \(entry.typeName); expected one of "
                    + SafetensorsType.supportedNames)
        }
        try MemoryBudget.require(entry.byteRange.count, for: path)
        var array = NDArray(zeros: entry.shape, type)
        try array.withUnsafeMutableBytes { (bytes) throws(FileError) in
            try file.read(into: bytes, at: entry.byteRange.lowerBound)
        }
        array.normalizeBooleans()
        return array
    }

    /// Reads all arrays. Throws when the machine's memory has no room for them.
    public func arrays() throws(FileError) -> [String: NDArray] {
        try MemoryBudget.require(file.byteCount, for: path)
        var result: [String: NDArray] = [:]
        for entry in entries {
            guard result.updateValue(try array(entry.name), forKey: entry.name) == nil else {
                throw .malformed(path, "two tensors have names that look the same: '\(entry.name)'")
            }
        }
        return result
    }
}

/// The order of names in headers: by bytes, so that it depends on no Unicode table.
func utf8Precedes(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
}

/// The format's element types.
enum SafetensorsType {
    static let pairs: [(name: String, type: ElementType)] = [
        ("BOOL", .bool), ("U8", .uint8), ("I32", .int32), ("I64", .int64), ("BF16", .bfloat16),
        ("F16", .float16), ("F32", .float32), ("F64", .float64),
    ]

    static let supportedNames = pairs.map(\.name).joined(separator: ", ")

    /// Types that only the format has, with their bytes per element.
    static let foreign: [String: Int] = [
        "I8": 1, "I16": 2, "U16": 2, "U32": 4, "U64": 8, "C64": 8, "F8_E4M3": 1, "F8_E5M2": 1,
        "F8_E8M0": 1,
    ]

    static func elementType(_ name: String) -> ElementType? {
        pairs.first { $0.name == name }?.type
    }

    static func name(_ type: ElementType) -> String { pairs.first { $0.type == type }!.name }

    /// Bytes per element, or nil for a type nobody knows.
    static func byteCount(_ name: String) -> Int? {
        elementType(name)?.byteCount ?? foreign[name]
    }
}
