import Foundation
import Lab
import Training

/// All runs below a folder, and what changed since when.
package actor RunIndex {
    let folder: ConfinedFolder
    private var finder = RunFinder()
    private var entries: [String: Entry] = [:]
    /// Grows with every look that found a change.
    private(set) var version = 0
    /// Which runs went away, and at which version: the last ones only.
    private var removals: [(version: Int, id: String)] = []
    /// Changes before this version are not known any more.
    private var oldestVersion = 0
    /// Readers of runs that someone looks at, in the order of their last use.
    private var readers: [(id: String, reader: RunReader)] = []

    package static let maximumRemovalCount = 1000
    static let maximumReaderCount = 16

    private struct Entry {
        var location: RunLocation
        var summary: RunSummary
        var marks: [FileMark?] = []
        var changed = 0
    }

    /// Tells whether a file is as it was.
    private struct FileMark: Hashable {
        var inode: ino_t
        var size: off_t
        var seconds: Int
        var nanoseconds: Int

        init(_ status: stat) {
            (inode, size) = (status.st_ino, status.st_size)
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    package init(_ folder: ConfinedFolder) { self.folder = folder }

    /// Looks at all runs; returns whether something changed.
    @discardableResult
    package func look() -> Bool {
        let next = version + 1
        var hasChanged = false
        let locations = finder.find(in: folder)
        let present = Set(locations.map(\.id))
        for id in entries.keys where !present.contains(id) {
            forget(id, next)
            hasChanged = true
        }
        for location in locations {
            let marks = location.files.map { folder.file($0)?.status.map { FileMark($0) } }
            var entry =
                entries[location.id]
                ?? Entry(location: location, summary: RunSummary(location))
            // The end of a process changes no file.
            guard marks != entry.marks || entry.summary.state == .running else { continue }
            if let known = entries[location.id], known.location != location {
                entry = Entry(location: location, summary: RunSummary(location))
            }
            var summary = entry.summary
            let end = RunEnd(location, in: folder)
            summary.take(end)
            if marks != entry.marks {
                summary.revision += 1
                describe(&summary, location, end)
            }
            guard summary != entry.summary || entries[location.id] == nil else { continue }
            (entry.summary, entry.marks, entry.changed) = (summary, marks, next)
            entries[location.id] = entry
            hasChanged = true
        }
        if hasChanged { version = next }
        return hasChanged
    }

    private func describe(_ summary: inout RunSummary, _ location: RunLocation, _ end: RunEnd) {
        if let trial = end.trial {
            summary.setting = [trial.configuration, "seed \(trial.seed)"]
        }
        summary.hasLayers =
            location.statistics.flatMap { folder.file($0)?.status }.map { $0.st_size > 0 } ?? false
        guard let path = location.configuration,
            let bytes = folder.file(path)?.bytes(limit: 1 << 20),
            let configuration = try? RunConfiguration(
                yaml: String(decoding: bytes, as: UTF8.self), source: path)
        else { return }
        summary.setting = RunSummary.setting(configuration)
    }

    private func forget(_ id: String, _ version: Int) {
        entries[id] = nil
        readers.removeAll { $0.id == id }
        removals.append((version, id))
        if removals.count > Self.maximumRemovalCount {
            oldestVersion = removals[removals.count / 2].version
            removals.removeFirst(removals.count / 2 + 1)
        }
    }

    /// What changed after a version; everything when that is too long ago.
    package func changes(since version: Int) -> RunChanges {
        let isWhole = version == 0 || version < oldestVersion || version > self.version
        let since = isWhole ? 0 : version
        return RunChanges(
            version: self.version, isWhole: isWhole, isCutShort: finder.isCutShort,
            runs: entries.values.filter { $0.changed > since }.map(\.summary)
                .sorted { $0.id < $1.id },
            removed: isWhole
                ? []
                : removals.filter { $0.version > since && entries[$0.id] == nil }.map(\.id))
    }

    /// What reads a run's files, with its revision; nil when there is no such run.
    package func reader(_ id: String) -> (reader: RunReader, revision: Int)? {
        guard let entry = entries[id] else { return nil }
        let reader =
            readers.first { $0.id == id }?.reader ?? RunReader(entry.location, in: folder)
        readers.removeAll { $0.id == id }
        readers.append((id, reader))
        if readers.count > Self.maximumReaderCount { readers.removeFirst() }
        return (reader, entry.summary.revision)
    }

    package enum StopOutcome { case requested, noSuchRun, isNotRunning, isNotWritable }

    /// Asks a run, or the lab that it belongs to, to stop.
    package func stop(_ id: String) -> StopOutcome {
        guard let location = entries[id]?.location else { return .noSuchRun }
        guard folder.file(location.progress)?.isLocked == true else { return .isNotRunning }
        return folder.touch(location.stop) ? .requested : .isNotWritable
    }
}

/// Which runs are there, or changed.
package struct RunChanges: Encodable, Sendable {
    package var version: Int
    /// Whether these are all runs; otherwise all others are as they were.
    package var isWhole: Bool
    /// Whether there are more runs than are looked at.
    var isCutShort: Bool
    package var runs: [RunSummary]
    package var removed: [String]
}
