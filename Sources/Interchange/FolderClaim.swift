#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A folder that one program at a time works in: claimed while the value lives, free again when the program
/// ends in whatever way.
package final class FolderClaim {
    private let descriptor: FileDescriptor

    /// Throws when another one has the folder. File systems without locks give it to everyone.
    ///
    /// - Parameter refusal: what to say then.
    package init(_ folder: String, refusal: String) throws(FileError) {
        descriptor = try FileDescriptor.writing(folder + "/.claim")
        guard retrying({ flock(descriptor.number, LOCK_EX | LOCK_NB) }) != 0, errno == EWOULDBLOCK
        else { return }
        throw FileError(path: folder, kind: .system, reason: refusal)
    }
}
