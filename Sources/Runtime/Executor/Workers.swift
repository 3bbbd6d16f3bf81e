/// The worker threads of the fast backend.
public final class Workers: Sendable {
    public static let shared = Workers()
    /// The number of threads; results do not depend on it.
    public let count: Int
    public init(count: Int? = nil) { self.count = count ?? 2 }
}
