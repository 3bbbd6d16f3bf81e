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
    /// What is there and cannot be named or opened: links that lead nowhere, names that are not UTF-8.
    public private(set) var refused: [FileError] = []

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
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let name = String(decoding: bytes, as: UTF8.self)
            guard !name.hasPrefix(".") else { continue }
            guard name.utf8.elementsEqual(bytes) else {
                refused.append(.unsupported(path + "/" + name, "the name is not UTF-8"))
                continue
            }
            var status = stat()
            guard stat(path + "/" + name, &status) == 0 else {
                let error = systemError(path + "/" + name, "cannot be examined")
                refused.append(
                    error.kind == .notFound
                        ? FileError(
                            path: error.path, kind: .notFound, reason: "the link leads nowhere")
                        : error)
                continue
            }
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
        refused.sort { precedes($0.path, $1.path) }
    }
}
