import Hummingbird
import HummingbirdCore
import Interchange
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import UnixSignals

/// A page of all runs below a folder that is up to date while they run in other processes.
///
///     try await Dashboard("runs").run { address in print(address) }
///
/// The module's page says what it shows and who may see it.
public struct Dashboard: Sendable {
    private let folder: ConfinedFolder
    private let host: String
    private let port: Int
    private let token: String?

    public static let defaultPort = 8321

    /// - Parameters:
    ///   - folder: below which runs are looked for. Nothing outside of it is read, and no link followed.
    ///   - host: the address to listen at. Elsewhere than on this machine a token is needed to get in.
    ///   - port: 0 takes any that is free.
    /// - Throws: when the folder cannot be opened.
    public init(
        _ folder: String, host: String = "127.0.0.1", port: Int = Dashboard.defaultPort
    ) throws(FileError) {
        self.folder = try ConfinedFolder(folder)
        self.host = host
        self.port = port
        token = Self.isLocal(host) ? nil : Gate.newToken()
    }

    private static func isLocal(_ host: String) -> Bool {
        ["127.0.0.1", "localhost", "::1"].contains(host)
    }

    /// Serves until the task is cancelled, or until Ctrl-C if it listens to that.
    ///
    /// - Parameters:
    ///   - stopsOnSignals: whether Ctrl-C and SIGTERM end it.
    ///   - ready: told the address to open, token included, once it can be opened.
    /// - Throws: when it cannot listen there.
    public func run(
        stopsOnSignals: Bool = true, ready: @escaping @Sendable (String) -> Void
    ) async throws {
        let port = Mutex(port)
        let (host, token) = (host, token)
        let (index, hub) = (RunIndex(folder), EventHub())
        await index.look()
        let routes = Routes(index: index, hub: hub) {
            Gate(isLocal: token == nil, port: port.withLock { $0 }, token: token)
        }
        var logger = Logger(label: "dashboard")
        logger.logLevel = .critical
        let server = Application(
            router: routes.router(),
            server: .http1(configuration: HTTP1Channel.Configuration(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: self.port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    Self.maximumConnectionCount)),
            services: [Watch(index: index, hub: hub)],
            onServerRunning: { channel in
                let number = channel.localAddress?.port ?? 0
                port.withLock { $0 = number }
                ready(Self.address(host, number, token))
            },
            logger: logger)
        try await server.runService(
            gracefulShutdownSignals: stopsOnSignals ? [.sigterm, .sigint] : [])
    }

    /// Those of browsers come and go; each page that is open keeps one.
    private static let maximumConnectionCount = 256

    private static func address(_ host: String, _ port: Int, _ token: String?) -> String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "http://\(name):\(port)/" + (token.map { "?token=\($0)" } ?? "")
    }
}

/// Looks at the runs every second while someone listens; less often where there is much to look at.
private struct Watch: Service {
    let index: RunIndex
    let hub: EventHub

    private static let pause = Duration.seconds(1)
    /// Silence for longer is broken.
    private static let beatInterval = Duration.seconds(15)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            let clock = ContinuousClock()
            var (pause, lastWake) = (Self.pause, clock.now)
            while true {
                try await Task.sleep(for: pause)
                guard hub.clientCount > 0 else { continue }
                let began = clock.now
                let isNews = await index.look()
                pause = max(Self.pause, (clock.now - began) * 10)
                if isNews || clock.now - lastWake >= Self.beatInterval {
                    hub.wakeAll()
                    lastWake = clock.now
                }
                hub.dropStuck()
            }
        }
    }
}
