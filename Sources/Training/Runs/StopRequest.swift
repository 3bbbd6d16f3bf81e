import Foundation
import Interchange
import Synchronization

/// The wish of another program that what runs in a folder stops as if Ctrl-C had been pressed: a file named
/// `stop` in it. A file rather than a signal, because it can only mean this run, not a process that
/// happens to have its old number.
public final class StopRequest: Sendable {
    /// The name of the file.
    public static let fileName = "stop"

    private let path: String
    private let interval: Duration
    private let lastLook: Mutex<(time: ContinuousClock.Instant, isRequested: Bool)>

    /// - Parameters:
    ///   - folder: of a run or a lab.
    ///   - interval: the file is looked for so often at most.
    public init(folder: String, interval: Duration = .milliseconds(200)) {
        path = "\(folder)/\(Self.fileName)"
        self.interval = interval
        lastLook = Mutex((.now - interval, false))
    }

    /// Whether someone wishes it. May be asked after every step: mostly it looks at the clock only.
    public var isRequested: Bool {
        lastLook.withLock { last in
            let now = ContinuousClock.now
            if !last.isRequested, now - last.time >= interval {
                last = (now, access(path, F_OK) == 0)
            }
            return last.isRequested
        }
    }

    /// Forgets a wish, before something begins and after it has stopped.
    public func withdraw() {
        unlink(path)
        lastLook.withLock { $0 = (.now, false) }
    }

    /// Stops a training when it is wished.
    public final class Callback: TrainingCallback {
        private let request: StopRequest

        public init(_ request: StopRequest) {
            self.request = request
            super.init()
        }

        override public func trainingWillBegin(_ session: TrainingSession) { request.withdraw() }

        override public func stepDidEnd(_ session: TrainingSession) {
            if request.isRequested { session.stop(.interrupted) }
        }

        override public func trainingDidEnd(_ session: TrainingSession, _ history: TrainingHistory)
        {
            request.withdraw()
        }
    }
}
