import Foundation

/// Reads the lines of a file that grows, each once, from where the last look ended.
///
/// A line counts when its end is written. A file that was cut short or written anew is read from its
/// beginning again. Memory is bounded by the longest line that is taken.
package struct LineTail {
    /// Longer lines are left out.
    package static let maximumLineLength = 4 << 20
    /// So many bytes before the place are compared, to notice a file written anew.
    private static let traceLength = 64

    /// Everything before was read: the end of a line, except within one that is too long.
    private(set) var offset = 0
    private var inode: ino_t = 0
    private var seen: timespec?
    private var trace: [UInt8] = []
    private var isInsideLongLine = false

    package init() {}

    /// Reads what is new.
    ///
    /// - Parameters:
    ///   - budget: about so many bytes at most.
    ///   - restart: called before the first line when the file is not the one known: forget its lines.
    ///   - line: called with each line, without its end. Behind it another byte can be read.
    /// - Returns: whether there is more to read.
    package mutating func read(
        _ file: ConfinedFile, budget: Int = .max, restart: () -> Void,
        line: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        guard let status = file.status else { return false }
        let size = Int(status.st_size)
        let isSame = status.st_ino == inode
        if isSame, size == offset, seen?.tv_sec == status.st_mtim.tv_sec,
            seen?.tv_nsec == status.st_mtim.tv_nsec
        {
            return false
        }
        let expected = (offset - trace.count)..<offset
        if !isSame || size < offset || file.bytes(expected) != trace {
            if inode != 0 { restart() }
            self = LineTail()
            inode = status.st_ino
        }
        seen = status.st_mtim
        let end = budget < size - offset ? offset + budget : size
        var buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(1 << 18, max(budget, 4096)), alignment: 1)
        defer { buffer.deallocate() }
        while offset < end {
            let count = file.read(into: buffer, at: offset)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let used = take(bytes, line)
            if used > 0 {
                offset += used
            } else if count < buffer.count {
                break
            } else if buffer.count < Self.maximumLineLength {
                buffer.deallocate()
                buffer = .allocate(byteCount: buffer.count * 2, alignment: 1)
            } else {
                isInsideLongLine = true
            }
        }
        trace = file.bytes(max(offset - Self.traceLength, 0)..<offset)
        return offset < size && end < size
    }

    /// Passes on whole lines; returns how many bytes are done with.
    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        var start = 0
        while start < bytes.count {
            let rest = bytes.count - start
            guard let place = memchr(bytes.baseAddress! + start, 0x0A, rest) else { break }
            let end = UnsafeRawPointer(place) - bytes.baseAddress!
            if isInsideLongLine {
                isInsideLongLine = false
            } else if end > start {
                line(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
            start = end + 1
        }
        return isInsideLongLine ? bytes.count : start
    }
}
