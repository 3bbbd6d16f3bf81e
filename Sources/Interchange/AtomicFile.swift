#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes files whole or not at all.
///
/// The bytes go to `.NAME.tmp` in the same folder, are brought to disk, and take the place of
/// `NAME` in one step; then the folder is brought to disk. Whatever happens in between (an error,
/// `kill -9`, a power cut) `NAME` holds its old content or the new one. A temporary file that a
/// killed program left behind is used again by the next write of the same name. Writers of the same
/// name wait for one another.
public enum AtomicFile {
    /// Takes the bytes of a file in order.
    public struct Writer {
        private let descriptor: FileDescriptor

        fileprivate init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

        public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
            try descriptor.write(bytes)
        }

        public func write(_ bytes: [UInt8]) throws(FileError) {
            let failure = bytes.withUnsafeBytes { buffer -> FileError? in
                do throws(FileError) { try write(buffer) } catch { return error }
                return nil
            }
            if let failure { throw failure }
        }
    }

    /// Writes a file from bytes.
    public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        try write(to: path) { (writer) throws(FileError) in try writer.write(bytes) }
    }

    /// Writes a file from text, as UTF-8.
    public static func write(_ text: String, to path: String) throws(FileError) {
        try write(Array(text.utf8), to: path)
    }

    /// Writes a file piece by piece. When `body` throws, the file stays as it was.
    ///
    /// A link is followed: the file it points to is replaced. Permissions of an existing file are
    /// kept.
    public static func write(
        to path: String, _ body: (Writer) throws(FileError) -> Void
    ) throws(FileError) {
        let target = try destination(path)
        let cut = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
        let folder = cut == target.startIndex ? "." : String(target[..<cut])
        let temporary = "\(target[..<cut]).\(target[cut...]).tmp"

        let descriptor: FileDescriptor
        do throws(FileError) {
            descriptor = try claim(temporary)
        } catch {
            throw FileError(path: path, kind: error.kind, reason: error.reason)
        }
        do throws(FileError) {
            var existing = stat()
            if stat(target, &existing) == 0 { fchmod(descriptor.number, existing.st_mode & 0o7777) }
            try body(Writer(descriptor))
            try descriptor.synchronize()
            guard rename(temporary, target) == 0 else {
                throw systemError(path, "cannot be replaced")
            }
        } catch {
            unlink(temporary)
            throw FileError(path: path, kind: error.kind, reason: error.reason)
        }
        try FileDescriptor.folder(folder).synchronize()
    }

    /// Where the bytes end up, links followed.
    private static func destination(_ path: String) throws(FileError) -> String {
        var target = path
        for _ in 0..<40 {
            var status = stat()
            guard lstat(target, &status) == 0 else { return target }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                return target
            case S_IFLNK:
                var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
                let length = readlink(target, &buffer, Int(PATH_MAX))
                guard length > 0 else { throw systemError(path, "cannot be followed") }
                let link = String(
                    decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
                target = link.hasPrefix("/") ? link : folder + link
            case S_IFDIR:
                throw FileError(
                    path: path, kind: .system, reason: "cannot be written: it is a folder")
            default:
                throw FileError(
                    path: path, kind: .system, reason: "cannot be written: it is no regular file")
            }
        }
        throw FileError(path: path, kind: .system, reason: "cannot be written: too many links")
    }

    /// The temporary file, empty, and ours alone until the descriptor is closed.
    private static func claim(_ temporary: String) throws(FileError) -> FileDescriptor {
        while true {
            let descriptor = try FileDescriptor.writing(temporary)
            // File systems without locks still get the rename, only not the waiting.
            _ = retrying { flock(descriptor.number, LOCK_EX) }
            let mine = try descriptor.status()
            var current = stat()
            // While we waited, the writer before us renamed or removed the file that we had opened.
            guard lstat(temporary, &current) == 0, current.st_ino == mine.st_ino else { continue }
            guard ftruncate(descriptor.number, 0) == 0 else {
                throw systemError(temporary, "cannot be emptied")
            }
            return descriptor
        }
    }
}
