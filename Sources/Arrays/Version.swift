/// The library's version, the newest of the changelog.
public let evenKeelVersion = "0.1.0"
