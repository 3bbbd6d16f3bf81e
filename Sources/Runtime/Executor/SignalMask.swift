import Foundation

/// Keeps signals away from threads that run oneDNN.
///
/// The matrix product of oneDNN 2.6 keeps data beyond the end of its stack frame, where a signal handler's
/// frame goes: any handler that runs meanwhile, even one that does nothing, corrupts memory. Signals that
/// come while a step runs are delivered after it, or to another thread.
package enum SignalMask {
    /// All signals but those that a thread's own mistakes raise.
    private static let asynchronous: sigset_t = {
        var set = sigset_t()
        sigfillset(&set)
        for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT] {
            sigdelset(&set, signal)
        }
        return set
    }()

    /// No signals from now on, for the calling thread.
    static func block() {
        _ = withUnsafePointer(to: asynchronous) { pthread_sigmask(SIG_BLOCK, $0, nil) }
    }

    /// No signals while the body runs; the caller's mask comes back afterwards.
    package static func blocking<R>(_ body: () -> R) -> R {
        var before = sigset_t()
        _ = withUnsafePointer(to: asynchronous) { pthread_sigmask(SIG_BLOCK, $0, &before) }
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return body()
    }
}
