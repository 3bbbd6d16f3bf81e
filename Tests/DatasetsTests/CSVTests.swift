import Arrays
import Datasets
import Interchange
import FileTestSupport
import Testing

@Suite struct CSVTests {
    static func read(
        _ text: String, header: CSV.Header = .automatic, textColumn: CSV.Column? = nil,
        separator: Character = ","
    ) throws(FileError) -> CSV.Table {
        let folder = TemporaryFolder()
        return try CSV.read(
            folder.write(Array(text.utf8), "a.csv"), header: header, textColumn: textColumn,
            separator: separator)
    }

    @Test(arguments: [
        "1,2\n3,4\n", "1,2\r\n3,4", "\u{FEFF}1, 2\n\n3 ,\t4\n\n", "\"1\",2\r3,\"4\"\r",
    ])
    func numbers(_ text: String) throws {
        let table = try Self.read(text)
        #expect(table.values == NDArray([1, 2, 3, 4] as [Float], shape: [2, 2]))
        #expect(table.columnNames.isEmpty && table.texts.isEmpty)
    }

    @Test func notations() throws {
        let table = try Self.read(
            "-1.5;2e3;+0.1;16777217;nan;1152921504606846976\n", separator: ";")
        let values = table.values.elements(as: Float.self)
        #expect(values[..<4] == [-1500e-3, 2000, 0.1, 16_777_216])
        #expect(values[4].isNaN && values[5] == 0x1p60)
    }

    @Test func headersAndQuotes() throws {
        let text = "\"a, \"\"x\"\"\",b,\"kind\nof\"\r\n1,2,red\n3,4,\" dark, green \"\n"
        for column in [CSV.Column.named("kind\nof"), .index(2), .index(-1)] {
            let table = try Self.read(text, textColumn: column)
            #expect(table.columnNames == ["a, \"x\"", "b"])
            #expect(table.texts == ["red", "dark, green"])
            #expect(table.values == NDArray([1, 2, 3, 4] as [Float], shape: [2, 2]))
        }
    }

    @Test func firstLineOfNumbers() throws {
        #expect(try Self.read("1,2\n3,4", header: .present).columnNames == ["1", "2"])
        #expect(try Self.read("1,x\n2,y", textColumn: .index(1)).texts == ["x", "y"])
        #expect(try Self.read("1,x\n2,y", header: .present, textColumn: .index(1)).texts == ["y"])
        #expect(
            try Self.read("7,1\n8,0", textColumn: .named("1")).values.elements() == [8 as Float])
    }

    @Test func compressed() throws {
        let folder = TemporaryFolder()
        let path = folder.write(Gzip.compress(Array("1,2\n".utf8)), "a.csv")
        #expect(try CSV.read(path).values.shape == [1, 2])
        let limited = failure { () throws(FileError) in try CSV.read(path, limit: 3) }
        #expect(limited?.kind == .limitExceeded)
    }

    @Test(arguments: [
        ("1,2\n3\n", "line 2: expected 2 fields, found 1"),
        ("a,b\n1,2\n\n1,2,3\n", "line 4: expected 2 fields, found 3"),
        ("a,b\n1,x\n", "line 2: expected a number in column 2 ('b'), found 'x'"),
        ("1,2\n1,\n", "line 2: expected a number in column 2, found ''"),
        ("1,2\n\"1\n\n\",2\n3,?\n", "line 2: expected a number in column 1, found '1  '"),
        ("\"a\n\",b\n1,2\n3,?\n", "line 4: expected a number in column 2 ('b'), found '?'"),
        ("1,2\n\"3,4\n", "line 2: a quoted field does not end"),
        ("1,2\n\"3\"x,4\n", "line 2: a quoted field goes on"),
        ("1,2\n3\"x,4\n", "line 2: a quote inside"), ("", "no rows"), ("\n \n", "no rows"),
        ("a,b\n", "header but no rows"),
    ])
    func damaged(_ text: String, _ expected: String) {
        let error = failure { () throws(FileError) in try Self.read(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "read")")
    }

    @Test func columnsThatDoNotExist() {
        for column in [CSV.Column.named("c"), .named("a"), .index(3), .index(-4)] {
            let error = failure { () throws(FileError) in
                try Self.read("a,a,b\n1,2,3", textColumn: column)
            }
            #expect(error?.reason.contains("column") == true)
        }
    }

    @Test func damagedFilesLoadOrThrow() {
        let folder = TemporaryFolder()
        var generator = PhiloxGenerator(seed: testSeed)
        let bytes = Array("a,\"b \"\"c\"\"\",kind\r\n1,-2.5,\"x,y\"\n3e2,4,z\n".utf8)
        for round in 0..<500 {
            let path = folder.write(generator.mutate(bytes), "damaged")
            let error = failure { () throws(FileError) in
                try CSV.read(path, textColumn: round % 2 == 0 ? .index(-1) : nil)
            }
            if let error {
                let isOneLine = !error.description.contains { $0.isNewline }
                #expect(error.path == path && isOneLine, "seed \(testSeed), round \(round)")
            }
        }
    }

    @Test func messagesStayOnOneLine() {
        let folder = TemporaryFolder()
        let path = folder.write(Array("1,\"a\n\u{1B}b\"\n".utf8), "a.csv")
        let message = DatasetTests.message { () throws(DatasetError) in
            _ = try Dataset.csv(path, answers: .index(1), as: .numbers)
        }
        #expect(message.hasSuffix("found 'a  b'"))
    }

    @Test func datasets() throws {
        let folder = TemporaryFolder()
        let path = folder.write(Array("w,h,kind\n1,2,cat\n3,4,ant\n5,6,cat\n".utf8), "a.csv")
        let animals = try Dataset.csv(path, answers: .named("kind"))
        #expect(animals.classNames == ["ant", "cat"] && animals.classCount == 2)
        #expect(animals.labels == NDArray([1, 0, 1] as [Int32]))
        #expect(animals.features == NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]))

        let numbered = folder.write(Array("0,1.5\n2,2.5\n".utf8), "b.csv")
        let classes = try Dataset.csv(numbered, answers: .index(0))
        #expect(classes.classCount == 3 && classes.classNames == nil)
        #expect(classes.labels == NDArray([0, 2] as [Int32]))
        let regression = try Dataset.csv(numbered, answers: .index(1), as: .numbers)
        #expect(regression.targets == NDArray([1.5, 2.5] as [Float], shape: [2, 1]))

        #expect(throws: DatasetError.self) {
            try Dataset.csv(path, answers: .named("kind"), as: .numbers)
        }
        #expect(throws: DatasetError.self) {
            try Dataset.csv(folder.write(Array("1\n2\n".utf8), "c.csv"), answers: .index(0))
        }
    }
}
