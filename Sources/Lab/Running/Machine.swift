import Arrays
import Foundation

/// What numbers depend on besides the options.
enum Machine {
    static let version = "EvenKeel \(evenKeelVersion)"

    /// Such as `Intel Xeon, 2 cores, Linux`.
    static var description: String {
        let info = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
        let model = String(decoding: info.prefix(1 << 16), as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("model name") }?
            .split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return [
            model ?? "unknown processor", "\(cores) cores",
            ProcessInfo.processInfo.operatingSystemVersionString,
        ].joined(separator: ", ")
    }
}
