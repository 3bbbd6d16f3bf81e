import EvenKeel
import Foundation
import Synchronization

/// Ctrl-C: the first one lets the step finish and saves, a second one ends the program at once.
enum Interruption {
    private static let isRequested = Atomic<Bool>(false)

    static func install() {
        let handler: @convention(c) (Int32) -> Void = { number in
            if Interruption.isRequested.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
    }

    /// Whether the first Ctrl-C has come.
    static var isRequestedNow: Bool { isRequested.load(ordering: .relaxed) }

    /// Stops a training when an interruption was requested.
    final class Callback: TrainingCallback {
        override func stepDidEnd(_ session: TrainingSession) {
            if Interruption.isRequestedNow { session.stop(.interrupted) }
        }
    }
}
