import Foundation
import OrderedCollections
import Synchronization

/// Shows how a lab goes: on a terminal a bar for every configuration at work and one for the whole, with
/// the time that is left; elsewhere a line for every finished configuration.
public final class LabProgress: Sendable {
    /// A configuration of an experiment.
    struct Key: Hashable, Sendable {
        let experiment: String
        let index: Int
    }

    private struct Entry {
        let name: String
        let work: Double
        let parts: Int
        /// The share that is done of each seed at work.
        var shares: [Int: Double] = [:]
        var finished = 0

        var share: Double { (Double(finished) + shares.values.reduce(0, +)) / Double(parts) }
    }

    private struct State {
        /// In the order in which they were added.
        var entries: OrderedDictionary<Key, Entry> = [:]
        /// Work that was done before this run began; it says nothing about its speed.
        var kept = 0.0
        var start = ContinuousClock.now
        var lastDrawn: ContinuousClock.Instant?
        var drawnLines = 0
    }

    private let state = Mutex(State())
    private let output: FileHandle
    private let isTerminal: Bool

    /// - Parameter isTerminal: nil asks the system.
    public init(_ output: FileHandle = .standardOutput, isTerminal: Bool? = nil) {
        self.output = output
        self.isTerminal = isTerminal ?? (isatty(output.fileDescriptor) == 1)
    }

    func add(_ key: Key, _ name: String, work: Double, parts: Int) {
        state.withLock { state in
            state.entries[key] = Entry(name: name, work: work, parts: parts)
            state.start = .now
        }
    }

    func update(_ key: Key, seed: Int, _ share: Double) {
        state.withLock { state in
            state.entries[key]?.shares[seed] = share
            guard isTerminal else { return }
            if let last = state.lastDrawn, ContinuousClock.now - last < .milliseconds(200) {
                return
            }
            draw(&state)
        }
    }

    func finishPart(_ key: Key, seed: Int, wasKept: Bool = false) {
        state.withLock { state in
            guard var entry = state.entries[key] else { return }
            entry.shares[seed] = nil
            entry.finished += 1
            state.entries[key] = entry
            if wasKept { state.kept += entry.work / Double(entry.parts) }
            guard entry.finished == entry.parts else { return }
            erase(&state)
            write("\(Self.bar(1)) \(key.experiment): \(entry.name)\(wasKept ? " (kept)" : "")\n")
            if isTerminal { draw(&state) } else { write(Self.total(state) + "\n") }
        }
    }

    func end() {
        state.withLock { state in erase(&state) }
    }

    // MARK: - Drawing

    private func draw(_ state: inout State) {
        erase(&state)
        let active = state.entries.lazy.filter { !$0.value.shares.isEmpty }.map { key, entry in
            "\(Self.bar(entry.share)) \(key.experiment): \(entry.name)"
        }
        let lines = active + [Self.total(state)]
        // A line that wraps would not be erased as a whole.
        let width = terminalWidth - 1
        write(lines.map { $0.prefix(width) + "\n" }.joined())
        state.drawnLines = lines.count
        state.lastDrawn = .now
    }

    private var terminalWidth: Int {
        var size = winsize()
        let isKnown = ioctl(output.fileDescriptor, UInt(TIOCGWINSZ), &size) == 0
        return isKnown && size.ws_col > 20 ? Int(size.ws_col) : 80
    }

    private func erase(_ state: inout State) {
        if state.drawnLines > 0 { write("\u{1B}[\(state.drawnLines)A\u{1B}[J") }
        state.drawnLines = 0
    }

    private static func total(_ state: State) -> String {
        let all = state.entries.values.reduce(0) { $0 + $1.work }
        let done = state.entries.values.reduce(0) { $0 + $1.work * $1.share }
        let seconds = (ContinuousClock.now - state.start) / .seconds(1)
        let fresh = done - state.kept
        let left =
            fresh > 0 ? "\(NumberText.short((all - done) / fresh * seconds, digits: 2)) s left" : ""
        let finished = state.entries.values.count { $0.finished == $0.parts }
        return "\(bar(all > 0 ? done / all : 1)) \(finished) of \(state.entries.count) "
            + "configurations   \(left)"
    }

    private static func bar(_ share: Double) -> String {
        let width = 20
        let filled = Int(min(max(share, 0), 1) * Double(width))
        return "[" + String(repeating: "=", count: filled)
            + String(repeating: " ", count: width - filled) + "]"
    }

    private func write(_ text: String) { try? output.write(contentsOf: Data(text.utf8)) }
}
