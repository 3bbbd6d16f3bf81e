import Arrays
import Interchange
import FileTestSupport
import Testing

@Suite struct SafetensorsTests {
    /// A file from a header's text and data.
    static func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
        let length = header.utf8.count
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
            + data
    }

    static func open(_ header: String, _ data: [UInt8] = [0, 0, 128, 63]) throws(FileError)
        -> Safetensors
    {
        let folder = TemporaryFolder()
        return try Safetensors(contentsOf: folder.write(file(header, data), "a.safetensors"))
    }

    /// The inside of a valid entry: a float32 in the first four bytes.
    static let one = #""dtype":"F32","shape":[1],"data_offsets":[0,4]"#

    @Test func roundTrip() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.safetensors")
        var generator = PhiloxGenerator(seed: testSeed)
        let names = ["1.weight", "1.running_mean", "", "\"\\/\n\u{1}", "名前", "👩‍🚀", "é", "z"]
        for round in 0..<20 {
            var arrays: [String: NDArray] = [:]
            for name in names where Bool.random(using: &generator) {
                let type = ElementType.allCases.randomElement(using: &generator)!
                arrays[name] = generator.array(generator.shape(), type)
            }
            let metadata = round % 2 == 0 ? [:] : ["format": "ek", "a\"": "b\\\u{0}é"]
            try Safetensors.write(arrays, metadata: metadata, to: path)
            let file = try Safetensors(contentsOf: path)
            #expect(try file.arrays() == arrays, "seed \(testSeed), round \(round)")
            #expect(file.metadata == metadata)
            #expect(Set(file.names) == Set(arrays.keys))
            for entry in file.entries {
                let size = entry.elementType!.byteCount
                #expect(entry.byteRange.lowerBound % size == 0, "aligned to its elements")
            }
        }
    }

    @Test func bytesDependOnTheContentAlone() throws {
        let folder = TemporaryFolder()
        let names = (0..<50).map { "layer.\($0)" }
        func write(_ order: [String], _ name: String) throws -> [UInt8] {
            var arrays: [String: NDArray] = [:]
            for name in order { arrays[name] = NDArray([Float(name.utf8.count)]) }
            var metadata: [String: String] = [:]
            for name in order { metadata[name] = name }
            try Safetensors.write(arrays, metadata: metadata, to: folder.file(name))
            return try InputFile(folder.file(name)).bytes()
        }
        #expect(try write(names, "a") == write(names.reversed(), "b"))
    }

    /// Also what the format's own Python package writes for these arrays.
    @Test func theBytesOfASmallFile() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a")
        try Safetensors.write(["b": NDArray([UInt8(7)]), "a": NDArray([Float(1)])], to: path)
        let header =
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
            + #""b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}"#
        let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(
            try InputFile(path).bytes() == Self.file(header + padding, [0, 0, 128, 63, 7]))
    }

    @Test func unusualButValid() throws {
        let one = Self.one
        for header in [
            "{\"a\":{\(one)}}",
            "{ \"a\" : {\n\t\"data_offsets\" : [ 0 , 4 ], \"shape\":[1],\r\"dtype\":\"F32\"} }  \n",
            "{\"\\u0061\":{\(one)},\"__metadata__\":{\"x\":\"y\"}}",
            "{\"__metadata__\":null,\"a\":{\(one)}}",
            "{\"a\":{\(one),\"later\":[1.5e-3,{\"b\":null},true,\"\",-0,[]]}}",
            "{\"z\":{\"dtype\":\"I64\",\"shape\":[0,3],\"data_offsets\":[0,0]},\"a\":{\(one)}}",
        ] {
            let file = try Self.open(header)
            #expect(try file.array("a") == NDArray([Float(1)]), "\(header)")
        }
        #expect(try Self.open("{}", []).names == [])
    }

    @Test func unalignedTensors() throws {
        let file = try Self.open(
            #"{"b":{"dtype":"F32","shape":[],"data_offsets":[1,5]},"#
                + #""a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}"#, [9, 0, 0, 128, 63])
        #expect(file.entries.map(\.name) == ["a", "b"])
        #expect(try file.array("a") == NDArray([true]))
        #expect(try file.array("b") == NDArray(scalar: Float(1)))
    }

    @Test func escapedNames() throws {
        let one = Self.one
        let file = try Self.open("{\"\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\":{\(one)}}")
        #expect(file.names == ["😀\"\\/\u{8}\u{c}\n\r\té"])
        // The same letter composed and decomposed: two names for the format.
        let twins = try Self.open(
            "{\"\u{e9}\":{\(one)},\"e\u{301}\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\""
                + ":[0,0]}}"
        )
        #expect(twins.entries.count == 2)
        #expect(try twins.array("\u{e9}").elementCount == 1)
        #expect(try twins.array("e\u{301}").elementCount == 0)
        #expect(failure { () throws(FileError) in try twins.arrays() } != nil)
    }

    @Test func foreignTypesAreListedButNotRead() throws {
        let file = try Self.open(#"{"a":{"dtype":"U16","shape":[2],"data_offsets":[0,4]}}"#)
        #expect(file.entry("a")?.elementType == nil && file.entry("a")?.typeName == "U16")
        let error = failure { () throws(FileError) in try file.array("a") }
        #expect(error?.kind == .unsupported && error?.reason.contains("U16") == true)
        #expect(
            failure { () throws(FileError) in try file.array("b") }?.reason
                == "expected a tensor named 'b', found none")
        #expect(!file.contains("b") && file.entry("b") == nil)
    }

    @Test(arguments: [
        (#"{"a":{ONE},"a":{ONE}}"#, "'a' appears twice"),
        (#"{"a":{ONE},"\u0061":{ONE}}"#, "'a' appears twice"),
        (#"{"a":{ONE,"dtype":"F32"}}"#, "'dtype' twice"),
        (#"{"a":{ONE},"__metadata__":{},"__metadata__":{}}"#, "'__metadata__' appears twice"),
        (#"{"a":{ONE},"__metadata__":{"k":"1","k":"2"}}"#, "'k' appears twice"),
        (#"{"a":{ONE},"__metadata__":{"k":1}}"#, "expected '\"'"),
        (#"{"a":{ONE},"b":{ONE}}"#, "overlaps"),
        (#"{"a":{ONE},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, "overlaps"),
        (#"{"a":{ONE},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}"#, "overlaps"),
        (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, "1 bytes before"),
        (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "1 bytes at the end"),
        (#"{}"#, "4 bytes at the end"),
        (#"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#, "outside the 4 bytes"),
        (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,3]}}"#, "outside"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "needs 8 bytes, found 4"),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
            "too large"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#,
            "too large"
        ),
        (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "larger"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "0 or more"),
        (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "expected ']'"),
        (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, "begins with 0"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#, "two numbers"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, "needs the keys"),
        (#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, "unknown type 'F99'"),
        (#"{"a":{ONE}}x"#, "expected the end"), (#"{"a":{ONE}"#, "expected '}'"),
        (#"{"a":{ONE},}"#, "expected '\"'"), (#" {"a":{ONE}}"#, "begins with '{'"),
        ("", "begins with"),
        (#"{"\ud83d":{ONE}}"#, "surrogate"), (#"{"\ude00":{ONE}}"#, "surrogate"),
        (#"{"\ud83d\u0061":{ONE}}"#, "surrogate"), (#"{"\x":{ONE}}"#, "unknown escape"),
        (#"{"\u00g0":{ONE}}"#, "hexadecimal"), ("{\"\n\":{ONE}}", "control character"),
        (#"{"a":{ONE,"b":"# + String(repeating: "[", count: 100_000), "nested too deeply"),
        (#"{"a":{ONE,"b":nul}}"#, "expected 'null'"), (#"{"a":{ONE,"b":1.}}"#, "JSON value"),
    ])
    func damagedHeaders(_ header: String, _ expected: String) {
        let text = header.split(separator: "ONE", omittingEmptySubsequences: false)
            .joined(separator: Self.one)
        let error = failure { () throws(FileError) in try Self.open(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "opened")")
    }

    @Test func absurdLengths() {
        let folder = TemporaryFolder()
        for (length, rest) in [
            (UInt64(1) << 60, 2), (.max, 2), (100_000_001, 2), (99_999_999, 2), (3, 2), (0, 0),
        ] {
            let bytes =
                (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
                + Array("{}".utf8.prefix(rest))
            let path = folder.write(bytes, "a")
            #expect(failure { () throws(FileError) in try Safetensors(contentsOf: path) } != nil)
        }
        for count in 0..<8 {
            let path = folder.write([UInt8](repeating: 0, count: count), "a")
            let error = failure { () throws(FileError) in try Safetensors(contentsOf: path) }
            #expect(error?.reason.contains("at least 8 bytes") == true)
        }
    }

    @Test func invalidTextIsRefused() {
        let folder = TemporaryFolder()
        var bytes = Self.file("{\"abc\":{\(Self.one)}}", [0, 0, 0, 0])
        bytes[10] = 0xFF
        let path = folder.write(bytes, "a")
        let error = failure { () throws(FileError) in try Safetensors(contentsOf: path) }
        #expect(error?.reason == "the header is not valid UTF-8")
    }

    @Test func messagesStayOnOneLine() {
        let name = #"a\n\u001b\u2028"# + String(repeating: "x", count: 5000)
        let error = failure { () throws(FileError) in
            try Self.open("{\"\(name)\":{\(Self.one)},\"\(name)\":{\(Self.one)}}")
        }
        #expect(error?.reason.contains("a   xxx") == true)
        #expect(error.map { $0.reason.count < 600 } == true)
    }

    @Test func theReservedNameIsRefused() {
        let folder = TemporaryFolder()
        let error = failure { () throws(FileError) in
            try Safetensors.write(["__metadata__": NDArray([Float(0)])], to: folder.file("a"))
        }
        #expect(error?.kind == .unsupported)
        #expect(folder.names.isEmpty)
    }
}
