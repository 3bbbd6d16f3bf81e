extension Trace {
    /// Inside the body of a step, for code that only looks: what it proposes for variables and requires to
    /// be finite is left out of the step, and is not computed.
    public static func discardingProposals<Result>(_ body: () -> Result) -> Result {
        guard current != nil else { return body() }
        return $current.withValue(Trace(), operation: body)
    }
}
