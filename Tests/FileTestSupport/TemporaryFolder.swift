#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A folder that goes away with the value.
public final class TemporaryFolder {
    public let path: String

    public init() {
        var template = Array("/tmp/evenkeel-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary folder")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink(file(name)) }
        rmdir(path)
    }

    /// The path of a file in the folder.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Everything in the folder, hidden files included.
    public var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Writes bytes without ceremony (no waiting for the disk) and returns the path.
    @discardableResult
    public func write(_ bytes: [UInt8], _ name: String) -> String {
        let file = fopen(file(name), "wb")!
        precondition(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)
        return self.file(name)
    }

    /// Writes a file that begins with these bytes and has zeros from there on, which take no room on the disk.
    @discardableResult
    public func write(_ bytes: [UInt8], padding count: Int, _ name: String) -> String {
        let path = write(bytes, name)
        precondition(truncate(path, off_t(bytes.count + count)) == 0, "no room for \(count) zeros")
        return path
    }
}
