#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The memory of the machine.
public enum PhysicalMemory {
    /// How much this process may use of it: all, or less where its control group or `ulimit -v` says so.
    public static var byteCount: Int { limit }

    /// How much this process holds already, without mapped files; 0 where the system does not say.
    package static var heldByteCount: Int {
        let line = text("/proc/self/status").split(separator: "\n").first {
            $0.hasPrefix("RssAnon:")
        }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
    }

    private static let limit = ([machine] + [addressSpace].compactMap { $0 } + controlGroups).min()!

    private static var machine: Int {
        let (pages, bytes) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && bytes > 0 ? pages * bytes : .max
    }

    /// What `ulimit -v` says.
    private static var addressSpace: Int? {
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
        #else
            let resource = RLIMIT_AS
        #endif
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return nil }
        return Int(clamping: limits.rlim_cur)
    }

    /// The limits of the control groups that the process is in, of both versions.
    private static var controlGroups: [Int] {
        let root = "/sys/fs/cgroup"
        var files = ["\(root)/memory.max", "\(root)/memory/memory.limit_in_bytes"]
        for line in text("/proc/self/cgroup").split(separator: "\n") {
            // Such as 0::/user.slice of version 2, 4:memory:/user.slice of version 1.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isSecond = fields[1].isEmpty
            guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
            var folder = isSecond ? root : "\(root)/memory"
            for part in fields[2].split(separator: "/") {
                folder += "/\(part)"
                files.append("\(folder)/\(isSecond ? "memory.max" : "memory.limit_in_bytes")")
            }
        }
        // "max" is no number, and no limit.
        return files.compactMap { file in
            Int(text(file).prefix { !$0.isWhitespace })
        }
    }

    /// The first 64 KiB of a file; nothing if it cannot be read.
    private static func text(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
