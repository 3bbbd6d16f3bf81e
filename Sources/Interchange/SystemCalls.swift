#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// The few calls of the C library that files need, with errors as `FileError`. Nothing else in this
// room talks to the system.

/// An open file descriptor, closed when the last reference goes.
final class FileDescriptor: Sendable {
    let number: Int32
    let path: String

    private init(number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    deinit { close(number) }

    static func reading(_ path: String) throws(FileError) -> FileDescriptor {
        try opening(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, "cannot be opened")
    }

    /// Opens (or creates) a file for writing without cutting it short; does not follow a link.
    static func writing(_ path: String) throws(FileError) -> FileDescriptor {
        try opening(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, "cannot be created")
    }

    /// Opens (or creates) a file for writing at its end.
    static func appending(_ path: String) throws(FileError) -> FileDescriptor {
        try opening(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, "cannot be written")
    }

    /// Creates a file for writing at its end; nil where there is one already.
    static func appendingNew(_ path: String) throws(FileError) -> FileDescriptor? {
        let number = retrying {
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
        }
        if number < 0 && errno == EEXIST { return nil }
        guard number >= 0 else { throw systemError(path, "cannot be created") }
        return FileDescriptor(number: number, path: path)
    }

    static func folder(_ path: String) throws(FileError) -> FileDescriptor {
        try opening(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "cannot be opened as a folder")
    }

    private static func opening(_ path: String, _ flags: Int32, _ complaint: String)
        throws(FileError) -> FileDescriptor
    {
        let number = retrying { open(path, flags, 0o666) }
        guard number >= 0 else { throw systemError(path, complaint) }
        return FileDescriptor(number: number, path: path)
    }

    func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw systemError(path, "cannot be examined") }
        return status
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = retrying {
                pread(
                    number, buffer.baseAddress! + done, min(buffer.count - done, 1 << 30),
                    off_t(offset + done))
            }
            guard count >= 0 else { throw systemError(path, "cannot be read") }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = retrying {
                systemWrite(number, bytes.baseAddress! + done, min(bytes.count - done, 1 << 30))
            }
            guard count >= 0 else { throw systemError(path, "cannot be written") }
            done += count
        }
    }

    /// Waits until everything written lies on the disk.
    func synchronize() throws(FileError) {
        guard retrying({ fsync(number) }) == 0 else {
            throw systemError(path, "cannot be brought to disk")
        }
    }
}

private func systemWrite(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(number, bytes, count)
}

/// Repeats a call that a signal interrupted.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// An error from `errno`.
func systemError(_ path: String, _ complaint: String) -> FileError {
    let code = errno
    return FileError(
        path: path, kind: code == ENOENT ? .notFound : .system,
        reason: code == ENOENT && complaint == "cannot be opened"
            ? "there is no such file" : "\(complaint): \(String(cString: strerror(code)))")
}
