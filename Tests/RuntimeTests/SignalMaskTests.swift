import Foundation
import Testing

import Runtime

@Suite("Signals while a step runs")
struct SignalMaskTests {
    private func isBlocked(_ signal: Int32) -> Bool {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        return sigismember(&mask, signal) == 1
    }

    @Test("What comes from outside waits", arguments: [SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1])
    func outside(signal: Int32) {
        let before = isBlocked(signal)
        #expect(SignalMask.blocking { isBlocked(signal) })
        #expect(isBlocked(signal) == before)
    }

    @Test("A thread's own mistakes do not", arguments: [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP])
    func mistakes(signal: Int32) {
        let before = isBlocked(signal)
        #expect(SignalMask.blocking { isBlocked(signal) } == before)
    }
}
