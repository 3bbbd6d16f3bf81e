#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The names in a folder, sorted by their bytes so that the order is the same on every machine.
/// Hidden entries (a leading dot) are left out; links count as what they point to.
public struct FolderListing: Sendable, Hashable {
    public let path: String
    public private(set) var folders: [String] = []
    /// Regular files.
    public private(set) var files: [String] = []

    /// Throws when the folder does not exist or cannot be read.
    public init(_ path: String) throws(FileError) {
        self.path = path
        guard let stream = opendir(path) else {
            let isMissing = errno == ENOENT
            let error = systemError(path, "cannot be opened as a folder")
            throw isMissing
                ? FileError(path: path, kind: .notFound, reason: "there is no such folder") : error
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard !name.hasPrefix("."), stat(path + "/" + name, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: folders.append(name)
            case S_IFREG: files.append(name)
            default: break
            }
        }
        func precedes(_ first: String, _ second: String) -> Bool {
            first.utf8.lexicographicallyPrecedes(second.utf8)
        }
        folders.sort(by: precedes)
        files.sort(by: precedes)
    }
}
