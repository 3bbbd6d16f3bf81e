// Swift prints the sentence of a failed precondition in debug builds only. A wrong shape should say what
// is wrong in optimized programs too, so these take the place of Swift's own wherever Arrays is imported.

/// Ends the program with a sentence unless a condition holds, in every kind of build.
@inlinable
package func precondition(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String = String(),
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}

/// Ends the program with a sentence, in every kind of build.
@inlinable
package func preconditionFailure(
    _ message: @autoclosure () -> String = String(), file: StaticString = #fileID,
    line: UInt = #line
) -> Never {
    fatalError(message(), file: file, line: line)
}
