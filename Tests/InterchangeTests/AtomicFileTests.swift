import Interchange
import FileTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct AtomicFileTests {
    @Test func replacesTheWholeContent() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a")
        try AtomicFile.write("a long first text", to: path)
        try AtomicFile.write("short", to: path)
        #expect(try InputFile(path).bytes() == Array("short".utf8))
        try AtomicFile.write([], to: path)
        #expect(try InputFile(path).byteCount == 0)
        #expect(folder.names == ["a"])
    }

    @Test func aFailingBodyLeavesTheOldContent() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a")
        try AtomicFile.write("old", to: path)
        let error = failure { () throws(FileError) in
            try AtomicFile.write(to: path) { (writer) throws(FileError) in
                try writer.write(Array("new".utf8))
                throw .malformed("elsewhere", "stop")
            }
        }
        #expect(error?.reason == "stop")
        #expect(try InputFile(path).bytes() == Array("old".utf8))
        #expect(folder.names == ["a"])
    }

    /// What a killed writer leaves behind does not get into the next file, and goes away with it.
    @Test func leftoversAreReused() throws {
        let folder = TemporaryFolder()
        folder.write([UInt8](repeating: 1, count: 5000), ".a.tmp")
        try AtomicFile.write([2, 3], to: folder.file("a"))
        #expect(try InputFile(folder.file("a")).bytes() == [2, 3])
        #expect(folder.names == ["a"])
    }

    @Test func keepsPermissionsAndFollowsLinks() throws {
        let folder = TemporaryFolder()
        try AtomicFile.write("old", to: folder.file("target"))
        chmod(folder.file("target"), 0o640)
        symlink("target", folder.file("link"))
        try AtomicFile.write("new", to: folder.file("link"))
        var status = stat()
        lstat(folder.file("link"), &status)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
        lstat(folder.file("target"), &status)
        #expect(status.st_mode & 0o777 == 0o640)
        #expect(try InputFile(folder.file("target")).bytes() == Array("new".utf8))
    }

    @Test func writersOfOneNameDoNotMix() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("a")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in UInt8(0)..<8 {
                group.addTask {
                    for _ in 0..<5 {
                        try AtomicFile.write(to: path) { (file) throws(FileError) in
                            for _ in 0..<16 {
                                try file.write([UInt8](repeating: writer, count: 1000))
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let bytes = try InputFile(path).bytes()
        #expect(bytes.count == 16_000 && Set(bytes).count == 1)
        #expect(folder.names == ["a"])
    }

    @Test func placesThatCannotBeWritten() {
        let folder = TemporaryFolder()
        for path in [folder.path, folder.file("missing/a"), "/dev/null"] {
            #expect(
                failure { () throws(FileError) in try AtomicFile.write([1], to: path) }?.path
                    == path)
        }
        #expect(folder.names.isEmpty)
    }

    @Test func placesThatCannotBeRead() {
        let folder = TemporaryFolder()
        let missing = failure { () throws(FileError) in try InputFile(folder.file("missing")) }
        #expect(missing?.kind == .notFound)
        #expect(missing?.description == "\(folder.file("missing")): there is no such file")
        let aFolder = failure { () throws(FileError) in try InputFile(folder.path) }
        #expect(aFolder?.reason == "expected a file, found a folder")
        #expect(failure { () throws(FileError) in try InputFile("/dev/zero") }?.kind == .system)
        folder.write([1, 2, 3], "short")
        let limited = failure { () throws(FileError) in
            try InputFile(folder.file("short")).bytes(limit: 2)
        }
        #expect(limited?.kind == .limitExceeded)
    }
}
