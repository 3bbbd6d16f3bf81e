import NIOCore
import Synchronization

/// The clients that listen to events. What they are sent is not kept here: a client that is woken asks
/// what has changed since it last asked, so for a slow one changes add up to one, and nothing grows.
package final class EventHub: Sendable {
    package static let maximumClientCount = 100
    /// A client that takes nothing for so long is dropped.
    static let patience = Duration.seconds(30)

    private struct Client {
        var wake: AsyncStream<Void>.Continuation
        var channel: (any Channel)?
        var writesSince: ContinuousClock.Instant?
    }

    private let clients = Mutex<[Int: Client]>([:])
    private let nextNumber = Atomic<Int>(0)

    package init() {}

    package var clientCount: Int { clients.withLock { $0.count } }

    /// A new client; nil when there are too many.
    package func join(_ channel: (any Channel)?) -> Membership? {
        let number = nextNumber.add(1, ordering: .relaxed).newValue
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let isMember = clients.withLock { clients in
            guard clients.count < Self.maximumClientCount else { return false }
            clients[number] = Client(wake: wake, channel: channel)
            return true
        }
        // The first event comes at once.
        wake.yield()
        return isMember ? Membership(number: number, wakes: wakes, hub: self) : nil
    }

    /// Wakes all clients.
    package func wakeAll() {
        for client in clients.withLock({ Array($0.values) }) { client.wake.yield() }
    }

    /// Drops those that take nothing.
    func dropStuck(now: ContinuousClock.Instant = .now) {
        let stuck = clients.withLock { clients in
            clients.values.filter { $0.writesSince.map { now - $0 > Self.patience } ?? false }
        }
        for client in stuck { client.channel?.close(promise: nil) }
    }

    /// Lets all go.
    package func close() {
        for client in clients.withLock({ Array($0.values) }) { client.wake.finish() }
    }

    /// A client's place, which it leaves when the last reference goes.
    package final class Membership: Sendable {
        private let number: Int
        package let wakes: AsyncStream<Void>
        private let hub: EventHub

        fileprivate init(number: Int, wakes: AsyncStream<Void>, hub: EventHub) {
            (self.number, self.wakes, self.hub) = (number, wakes, hub)
        }

        deinit {
            let number = number
            hub.clients.withLock { $0[number] = nil }
        }

        /// Around each write: whether it is still on its way.
        func writes(_ isWriting: Bool) {
            hub.clients.withLock { $0[number]?.writesSince = isWriting ? .now : nil }
        }
    }
}
