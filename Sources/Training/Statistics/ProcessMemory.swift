import Foundation

/// The memory of this process.
public enum ProcessMemory {
    /// What it occupies now, in bytes; 0 where the system does not say.
    public static var residentBytes: Int { bytes("VmRSS:") }

    /// The most that it has occupied so far, in bytes; 0 where the system does not say.
    public static var peakBytes: Int {
        #if os(Linux)
            // Not `getrusage`: that one remembers the process which started this one.
            bytes("VmHWM:")
        #else
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return Int(usage.ru_maxrss)
        #endif
    }

    private static func bytes(_ key: String) -> Int {
        let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix(key) }
        return (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) * 1024
    }
}
