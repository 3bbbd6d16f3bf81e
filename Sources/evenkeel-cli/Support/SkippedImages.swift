import EvenKeel

/// What people are told of images that are left out of the data.
enum SkippedImages {
    /// Names ten at most: the summary tells how many there are.
    static func warn(of errors: [FileError]) {
        for error in errors.prefix(10) { Console.writeError("warning: skipped \(error)") }
    }

    /// Says how many of all images are left out, if any.
    static func summarize(_ parts: Dataset.Parts) {
        let count = parts.unreadable.count
        if count > 0 { Console.writeError("warning: \(count) of \(parts.count) images skipped") }
    }

    /// Names those that turned out to be damaged while they were decoded, and says how many are left out.
    static func conclude(_ parts: Dataset.Parts) {
        warn(of: parts.train.unreadable + parts.test.unreadable)
        summarize(parts)
    }
}
