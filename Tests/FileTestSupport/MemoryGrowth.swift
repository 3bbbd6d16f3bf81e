import Foundation

/// One measurement at a time.
private let measuring = NSLock()

/// By how many bytes the process's memory grew at most while the body ran: the least of three runs, since
/// other tests run meanwhile and need memory too. Once it stays below the limit, it is run no more.
public func memoryGrowth<E: Error>(
    limit: Int, _ body: () throws(E) -> Void
) throws(E) -> Int {
    var least = Int.max
    for _ in 0..<3 where least >= limit {
        measuring.lock()
        defer { measuring.unlock() }
        countAnew()
        let before = largestMemory()
        try body()
        least = min(least, largestMemory() - before)
    }
    return least
}

/// What the kernel calls the largest memory is from now on that since now.
private func countAnew() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
}

private func largestMemory() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line.flatMap { Int($0.filter(\.isNumber)) }
    precondition(kilobytes != nil, "expected VmHWM in /proc/self/status")
    return kilobytes! * 1024
}
