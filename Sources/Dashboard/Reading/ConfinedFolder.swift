import Foundation
import Interchange

/// A folder nothing outside of which can be opened.
///
/// Paths are walked one name at a time from the folder's own descriptor, and no link is followed, at
/// whatever place in the path: what is not below the folder cannot be reached, also when names are
/// exchanged for links while they are walked.
package final class ConfinedFolder: Sendable {
    let path: String
    private let descriptor: Int32

    package init(_ path: String) throws(FileError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FileError(
                path: path, kind: errno == ENOENT ? .notFound : .system,
                reason: "cannot be opened as a folder: \(String(cString: strerror(errno)))")
        }
        self.path = path
    }

    deinit { close(descriptor) }

    /// A regular file for reading; nil when there is none, or a link to one.
    ///
    /// - Parameter name: names with slashes between them, relative to the folder.
    package func file(_ name: String) -> ConfinedFile? {
        // Not to wait for the other end of a pipe.
        let number = walk(name, O_RDONLY | O_NONBLOCK)
        guard number >= 0 else { return nil }
        let file = ConfinedFile(number)
        return file.status.map { $0.st_mode & S_IFMT == S_IFREG } == true ? file : nil
    }

    /// Makes an empty file where there is none; false when that cannot be.
    package func touch(_ name: String) -> Bool {
        let number = walk(name, O_WRONLY | O_CREAT)
        if number >= 0 { close(number) }
        return number >= 0
    }

    /// What is in a folder; nil when there is no such folder. The empty name is this folder.
    package func list(_ name: String) -> Listing? {
        let number = walk(name.isEmpty ? "." : name, O_RDONLY | O_DIRECTORY)
        guard number >= 0 else { return nil }
        guard let stream = fdopendir(number) else {
            close(number)
            return nil
        }
        defer { closedir(stream) }
        var result = Listing()
        while result.entryCount < Listing.maximumEntryCount, let entry = readdir(stream) {
            result.entryCount += 1
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix(".") else { continue }
            var kind = mode_t(entry.pointee.d_type) << 12
            if kind == 0 {
                var status = stat()
                guard fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
                kind = status.st_mode & S_IFMT
            }
            if kind == S_IFDIR { result.folders.append(name) }
            if kind == S_IFREG { result.files.append(name) }
        }
        result.folders.sort()
        result.files.sort()
        return result
    }

    /// When something was last added to a folder or taken away; nil when there is no such folder.
    func status(_ name: String) -> stat? {
        let number = walk(name.isEmpty ? "." : name, O_RDONLY | O_DIRECTORY)
        return number < 0 ? nil : ConfinedFile(number).status
    }

    package struct Listing {
        /// Of folders with more entries the rest is left out.
        static let maximumEntryCount = 100_000
        package var folders: [String] = []
        var files: [String] = []
        fileprivate var entryCount = 0
    }

    /// A descriptor, or -1.
    private func walk(_ name: String, _ flags: Int32) -> Int32 {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = name == "." || parts.allSatisfy { !["", ".", ".."].contains($0) }
        guard isPlain, !name.utf8.contains(0) else { return -1 }
        var current = descriptor
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let next = openat(
                current, String(part),
                (isLast ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC, 0o644)
            if current != descriptor { close(current) }
            guard next >= 0 else { return -1 }
            current = next
        }
        return current
    }
}

/// An open file.
package final class ConfinedFile {
    private let descriptor: Int32

    fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Whether another process holds a lock on it.
    var isLocked: Bool {
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
        _ = flock(descriptor, LOCK_UN)
        return false
    }

    /// Fills the buffer from `offset`; fewer bytes at the file's end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress! + done, buffer.count - done, offset + done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            count = read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
        }
    }

    /// The whole file; nil when it is larger than the limit.
    package func bytes(limit: Int) -> [UInt8]? {
        guard let size = status?.st_size, size <= limit else { return nil }
        return bytes(0..<Int(size))
    }
}
