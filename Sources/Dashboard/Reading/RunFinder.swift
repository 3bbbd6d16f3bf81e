import Foundation
import Lab
import Training

/// Finds the runs below a folder, again and again: a folder is listed again only when something was added
/// to it or taken away.
struct RunFinder {
    static let maximumDepth = 8
    static let maximumFolderCount = 10_000
    static let maximumRunCount = 2000

    private struct Known {
        var modified: timespec
        var inode: ino_t
        var listing: ConfinedFolder.Listing
    }

    private var known: [String: Known] = [:]
    /// Whether there are more than are looked at.
    private(set) var isCutShort = false

    /// In the order of their names.
    mutating func find(in folder: ConfinedFolder) -> [RunLocation] {
        var found: [RunLocation] = []
        var visited: Set<String> = []
        var waiting: [(name: String, depth: Int)] = [("", 0)]
        isCutShort = false
        while let (name, depth) = waiting.popLast() {
            guard visited.count < Self.maximumFolderCount, found.count < Self.maximumRunCount else {
                isCutShort = true
                break
            }
            visited.insert(name)
            guard let listing = list(name, folder) else { continue }
            if listing.files.contains("config.yaml") { found.append(RunLocation(run: name)) }
            let isLab = listing.files.contains("lab.json")
            for child in listing.folders.reversed() {
                let path = name.isEmpty ? child : "\(name)/\(child)"
                if isLab, let trials = list(path + "/trials", folder) {
                    visited.insert(path + "/trials")
                    found += Self.trials(trials.files).map {
                        RunLocation(trial: $0, experiment: child, lab: name)
                    }
                } else if depth < Self.maximumDepth {
                    waiting.append((path, depth + 1))
                }
            }
        }
        if found.count > Self.maximumRunCount {
            isCutShort = true
            found.removeLast(found.count - Self.maximumRunCount)
        }
        known = known.filter { visited.contains($0.key) }
        return found
    }

    private mutating func list(_ name: String, _ folder: ConfinedFolder) -> ConfinedFolder.Listing?
    {
        guard let status = folder.status(name) else {
            known[name] = nil
            return nil
        }
        let modified = status.st_mtim
        if let known = known[name], known.inode == status.st_ino,
            known.modified.tv_sec == modified.tv_sec, known.modified.tv_nsec == modified.tv_nsec,
            // Clocks of file systems are coarse: what is fresh may have changed again.
            time(nil) - modified.tv_sec > 2
        {
            return known.listing
        }
        guard var listing = folder.list(name) else { return nil }
        // Only these tell anything; a folder of images is not kept.
        let isTrials = name.hasSuffix("/trials")
        listing.files.removeAll { !(isTrials || $0 == "config.yaml" || $0 == "lab.json") }
        known[name] = Known(modified: modified, inode: status.st_ino, listing: listing)
        return listing
    }

    /// The names of trials, of their files.
    private static func trials(_ files: [String]) -> [String] {
        var names: Set<String> = []
        for file in files {
            for suffix in [LabFolder.Record.progressSuffix, LabFolder.Record.suffix]
            where file.hasSuffix(suffix) {
                names.insert(String(file.dropLast(suffix.count)))
                break
            }
        }
        return names.sorted()
    }
}
