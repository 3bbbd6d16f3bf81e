import Arrays
import Interchange
import FileTestSupport
import Testing

@Suite struct NPYTests {
    /// A file as NumPy would write it, from a header's text.
    static func file(_ header: String, version: UInt8 = 1, _ data: [UInt8]) -> [UInt8] {
        let length = header.utf8.count
        let size = (0..<(version == 1 ? 2 : 4)).map {
            UInt8(truncatingIfNeeded: length >> (8 * $0))
        }
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + data
    }

    @Test(arguments: ElementType.allCases)
    func roundTrip(_ type: ElementType) throws {
        let folder = TemporaryFolder()
        var generator = PhiloxGenerator(seed: testSeed)
        for round in 0..<8 {
            let array = generator.array(generator.shape(), type)
            try NPY.write(array, to: folder.file("a.npy"))
            #expect(try NPY.read(folder.file("a.npy")) == array, "seed \(testSeed), round \(round)")
            let bytes = try InputFile(folder.file("a.npy")).bytes()
            #expect((bytes.count - array.byteCount) % 64 == 0)
        }
    }

    /// The bytes of `numpy.save(..., numpy.arange(6, dtype=type).reshape(2, 3))`.
    @Test func writesWhatNumPyWrites() throws {
        let folder = TemporaryFolder()
        let array = NDArray((0..<6).map(Float.init), shape: [2, 3])
        try NPY.write(array, to: folder.file("a.npy"))
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
        let padded = header + String(repeating: " ", count: 118 - 1 - header.utf8.count) + "\n"
        #expect(
            try InputFile(folder.file("a.npy")).bytes()
                == Self.file(padded, array.withUnsafeBytes { Array($0) }))
    }

    @Test(arguments: [1, 2, 3] as [UInt8], [">", "<"])
    func versionsAndByteOrders(version: UInt8, order: String) throws {
        let folder = TemporaryFolder()
        let values: [Int32] = [1, -2, 70_000, .min]
        let data = values.flatMap { value in
            let word = UInt32(bitPattern: order == ">" ? value.bigEndian : value.littleEndian)
            return (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
        let header = "{\"shape\":(4L,),'fortran_order':True,'descr':'\(order)i4'}"
        let path = folder.write(Self.file(header, version: version, data), "a.npy")
        #expect(try NPY.read(path) == NDArray(values))
    }

    @Test(arguments: [[2, 3], [3, 1, 2], [2, 3, 4, 5], [4], [], [0, 3]])
    func fortranOrder(_ extents: [Int]) throws {
        let folder = TemporaryFolder()
        let shape = Shape(extents)
        // Element (i, j, ...) holds its row-major number; in the file the first axis varies
        // fastest.
        var data: [Int64] = []
        var strides = shape.strides.map { Int64($0) }
        strides.reverse()
        func visit(_ axis: Int, _ value: Int64) {
            guard axis < extents.count else { return data.append(value) }
            for index in 0..<extents[extents.count - 1 - axis] {
                visit(axis + 1, value + Int64(index) * strides[axis])
            }
        }
        visit(0, 0)
        let tuple = "(" + extents.map { "\($0)," }.joined() + ")"
        let path = folder.write(
            Self.file(
                "{'descr': '<i8', 'fortran_order': True, 'shape': \(tuple), }",
                NDArray(data).withUnsafeBytes { Array($0) }), "a.npy")
        #expect(
            try NPY.read(path)
                == NDArray((0..<Int64(shape.elementCount)).map { $0 }, shape: shape))
    }

    @Test func booleansAreZeroOrOne() throws {
        let folder = TemporaryFolder()
        let path = folder.write(
            Self.file("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", [0, 1, 7]), "a.npy"
        )
        #expect(try NPY.read(path) == NDArray([false, true, true]))
    }

    @Test(arguments: [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "12 bytes of data"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "found 8"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}", "expected"),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
            "too large"
        ),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4)}", "too"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "larger"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "0 or more"),
        ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "<c8"),
        ("{'descr': 'f', 'fortran_order': False, 'shape': (2,)}", "'f'"),
        ("{'descr': '', 'fortran_order': False, 'shape': (2,)}", "''"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "string"),
        ("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "True or False"),
        ("{'descr': '<f4', 'shape': (2,)}", "'fortran_order' is missing"),
        ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "twice"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "end"),
        ("{'descr': '<f4", "does not end"), ("", "expected '{'"), ("{", "string"),
    ])
    func damagedHeaders(_ header: String, _ expected: String) throws {
        let folder = TemporaryFolder()
        let path = folder.write(Self.file(header, [UInt8](repeating: 0, count: 8)), "a.npy")
        let error = failure { () throws(FileError) in try NPY.read(path) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "read")")
    }

    @Test func damagedBeginnings() {
        let folder = TemporaryFolder()
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"
        let file = Self.file(header, version: 2, [UInt8](repeating: 0, count: 8))
        var version = file
        version[6] = 4
        var length = file
        length[11] = 0x7F
        for bytes in [[], [0x93], Array(file[..<9]), Array(file[..<20]), version, length] {
            let path = folder.write(bytes, "a.npy")
            #expect(failure { () throws(FileError) in try NPY.read(path) } != nil)
        }
    }
}
