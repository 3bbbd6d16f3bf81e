import ArgumentParser
import Dashboard
import Foundation
import Synchronization

/// `evenkeel dashboard`
struct DashboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard",
        abstract: "Show all runs below a folder on a live page.",
        discussion: """
            evenkeel dashboard runs

            The page follows trainings and labs while they run in other processes, compares runs, shows \
            what layers give over time, and stops a run as Ctrl-C would. It is for this machine only \
            unless --host says otherwise; then the printed address has a token that is needed to get in. \
            The connection is not encrypted: in a network you do not trust, leave --host away and use an \
            SSH tunnel. Ctrl-C ends it.
            """)

    @Argument(help: ArgumentHelp("The folder with the runs.", valueName: "dir"))
    var path = "runs"

    @Option(help: "The port to listen at; 0 takes any that is free.")
    var port = Dashboard.defaultPort

    @Option(help: "The address to listen at; 0.0.0.0 for all of this machine's.")
    var host = "127.0.0.1"

    func run() throws {
        guard (0...65535).contains(port) else {
            throw ValidationError("--port: expected 0 to 65535, found \(port)")
        }
        let dashboard = try Dashboard(path, host: host, port: port)
        let (path, host, port) = (path, host, port)
        let failure = Mutex<String?>(nil)
        let hasEnded = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                try await dashboard.run { address in
                    let console = Console(isJSON: false)
                    console.say("\(path): \(address)")
                }
            } catch {
                failure.withLock { $0 = "cannot listen at \(host), port \(port): \(error)" }
            }
            hasEnded.signal()
        }
        hasEnded.wait()
        if let failure = failure.withLock({ $0 }) { throw DashboardFailure(description: failure) }
    }
}

private struct DashboardFailure: Error, CustomStringConvertible {
    let description: String
}
