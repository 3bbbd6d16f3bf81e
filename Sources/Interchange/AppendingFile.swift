#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that grows at its end, for readers that may be looking: what is appended is handed to the system
/// at once, so that only a power cut can take it away before ``synchronize()``.
package struct AppendingFile: Sendable {
    private let descriptor: FileDescriptor

    /// Opens a file, or makes it where there is none.
    package init(_ path: String) throws(FileError) {
        descriptor = try FileDescriptor.appending(path)
    }

    /// Makes a file; nil where there is one already.
    package init?(creating path: String) throws(FileError) {
        guard let descriptor = try FileDescriptor.appendingNew(path) else { return nil }
        self.descriptor = descriptor
    }

    package var path: String { descriptor.path }

    /// Appends bytes; returns the file's length.
    @discardableResult
    package func append(_ bytes: [UInt8]) throws(FileError) -> Int {
        let failure = bytes.withUnsafeBytes { buffer -> FileError? in
            do throws(FileError) { try descriptor.write(buffer) } catch { return error }
            return nil
        }
        if let failure { throw failure }
        return Int(lseek(descriptor.number, 0, SEEK_END))
    }

    /// Waits until everything appended lies on the disk.
    package func synchronize() throws(FileError) { try descriptor.synchronize() }
}
