import Arrays

/// How much memory data from outside may take, so that a file that promises more is an error and not the
/// end of the program.
package enum MemoryBudget {
    /// Half of the machine's memory: what is made of the data needs some, too.
    package static var byteCount: Int { PhysicalMemory.byteCount / 2 }

    /// Throws unless there is room for so many bytes.
    ///
    /// - Parameter copies: how often they are in memory at once while they are read.
    package static func require(_ byteCount: Int, copies: Int = 1, for path: String)
        throws(FileError)
    {
        let there = self.byteCount / copies
        guard byteCount <= there else {
            throw FileError(
                path: path, kind: .limitExceeded,
                reason: "expected at most \(there) bytes, as this machine's memory has room for; "
                    + "found \(byteCount)")
        }
    }
}
