import Foundation

/// oneDNN runs its loops on OpenMP threads; inside a worker it must use one. The setting belongs to the
/// thread that calls.
enum OneDNNThreads {
    private typealias Setter = @convention(c) (CInt) -> Void
    private typealias Getter = @convention(c) () -> CInt

    private static func symbol<T>(_ name: String, as type: T.Type) -> T? {
        dlsym(nil, name).map { unsafeBitCast($0, to: type) }
    }

    // OpenMP comes with oneDNN; a build without it has no such function and needs none.
    private static let set = symbol("omp_set_num_threads", as: Setter.self)
    private static let get = symbol("omp_get_max_threads", as: Getter.self)

    /// One thread from now on, for the calling thread.
    static func makeSingle() { set?(1) }

    /// One thread while the body runs; the caller's setting comes back afterwards.
    static func single<R>(_ body: () -> R) -> R {
        let before = get?() ?? 1
        set?(1)
        defer { if before != 1 { set?(before) } }
        return body()
    }
}
