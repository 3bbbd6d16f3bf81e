import Foundation
import Testing

import Dashboard

@Suite("The dashboard's server")
struct ServerTests {
    /// Runs a server while something is done.
    private func serving(
        _ folder: RunsFolder, host: String = "127.0.0.1",
        _ body: @escaping @Sendable (_ port: Int, _ address: String) async throws -> Void
    ) async throws {
        let dashboard = try Dashboard(folder.path, host: host, port: 0)
        let (addresses, ready) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled at the end.
                try? await dashboard.run(stopsOnSignals: false) { ready.yield($0) }
            }
            group.addTask {
                for await address in addresses {
                    let url = try #require(URLComponents(string: address))
                    try await body(try #require(url.port), address)
                    break
                }
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    /// Sends a request as it stands, and returns what comes until the answer is complete or `until` is in it.
    private static func send(
        _ port: Int, _ request: String, headers: [String] = [], until mark: String? = nil
    ) async throws -> String {
        // A thread of its own may wait; those of tasks are the server's as well.
        try await withCheckedThrowingContinuation { continuation in
            Thread {
                continuation.resume(
                    with: Result { try exchange(port, request, headers: headers, until: mark) })
            }.start()
        }
    }

    private static func exchange(
        _ port: Int, _ request: String, headers: [String], until mark: String?
    ) throws -> String {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        // A test that waits for what does not come shall fail.
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let lines = ["\(request) HTTP/1.1", "Connection: close"] + headers
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
        _ = text.withCString { Foundation.send(number, $0, text.utf8.count, 0) }
        var answer = ""
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while mark.map({ !answer.contains($0) }) ?? true {
            let count = recv(number, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return answer
    }

    private static func expect(
        _ status: Int, _ port: Int, _ request: String, headers: [String],
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await send(port, request, headers: headers)
        #expect(Self.status(answer) == status, "\(request)", sourceLocation: location)
    }

    private static func status(_ answer: String) -> Int? {
        answer.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    @Test("Serves its page, the runs and their numbers, with headers that confine the page")
    func serves() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a b/ü&c", steps: 4)
        try await serving(folder) { port, address in
            #expect(address == "http://127.0.0.1:\(port)/")
            let host = ["Host: 127.0.0.1:\(port)"]
            let page = try await Self.send(port, "GET /", headers: host)
            #expect(Self.status(page) == 200)
            #expect(page.contains("<title>EvenKeel"))
            #expect(page.lowercased().contains("content-security-policy: default-src 'none'"))
            #expect(page.lowercased().contains("x-content-type-options: nosniff"))
            for file in PageFile.all.keys {
                try await Self.expect(200, port, "GET \(file)", headers: host)
            }
            let runs = try await Self.send(port, "GET /api/runs", headers: host)
            #expect(runs.contains("\"id\":\"a b/ü&c\""))
            let series = try await Self.send(
                port, "GET /api/series?run=a%20b%2F%C3%BC%26c", headers: host)
            #expect(series.contains("\"step\":[1,2,3,4]"))
            for path in [
                "/api/series", "/api/series?run=nothing", "/api/layer?run=a", "/etc/passwd",
                "/../../etc/passwd", "/index.html",
            ] {
                try await Self.expect(404, port, "GET \(path)", headers: host)
            }
        }
    }

    @Test("Refuses other sites on every path, and stops nothing without the header")
    func refuses() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 4, ending: nil)
        let held = HeldFile(folder.path + "/a/progress.jsonl")
        try await serving(folder) { port, _ in
            let host = "Host: localhost:\(port)"
            for path in [
                "/", "/main.js", "/api/runs", "/api/events", "/api/series?run=a", "/nothing",
            ] {
                for headers in [
                    [host, "Sec-Fetch-Site: cross-site"], [host, "Origin: http://evil.example"],
                    ["Host: evil.example:\(port)"],
                ] {
                    try await Self.expect(403, port, "GET \(path)", headers: headers)
                }
            }
            let stop = "POST /api/stop?run=a"
            try await Self.expect(403, port, stop, headers: [host])
            let mark = "X-EvenKeel: stop"
            let evil = [host, mark, "Origin: http://evil.example"]
            try await Self.expect(403, port, stop, headers: evil)
            try await Self.expect(403, port, "OPTIONS /api/stop", headers: evil)
            try await Self.expect(404, port, "GET /api/stop?run=a", headers: [host, mark])
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/a/stop"))
            try await Self.expect(202, port, stop, headers: [host, mark])
            #expect(FileManager.default.fileExists(atPath: folder.path + "/a/stop"))
            try await Self.expect(404, port, "POST /api/stop?run=b", headers: [host, mark])
        }
        _ = held
    }

    @Test("Bound elsewhere it asks for the token, which becomes a cookie")
    func token() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 4)
        try await serving(folder, host: "0.0.0.0") { port, address in
            let token = try #require(address.components(separatedBy: "?token=").last)
            #expect(token.count == 32)
            let host = "Host: machine.example:\(port)"
            for path in ["/", "/main.js", "/api/runs", "/?token=\(String(token.reversed()))"] {
                try await Self.expect(401, port, "GET \(path)", headers: [host])
            }
            let welcome = try await Self.send(port, "GET /?token=\(token)", headers: [host])
            #expect(Self.status(welcome) == 303)
            let cookie = "evenkeel-\(port)=\(token)"
            #expect(welcome.contains("\(cookie); Path=/; HttpOnly; SameSite=Strict"))
            let headers = [host, "Cookie: other=1; \(cookie)"]
            try await Self.expect(200, port, "GET /api/runs", headers: headers)
        }
    }

    @Test("Events tell of all runs, then of what changes")
    func events() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 4)
        try await serving(folder) { port, _ in
            async let answer = Self.send(
                port, "GET /api/events", headers: ["Host: 127.0.0.1:\(port)"],
                until: "\"testAccuracy\":0.9375")
            try await Task.sleep(for: .milliseconds(300))
            try folder.append(
                "{\"epoch\":2,\"step\":8,\"testAccuracy\":0.9375}\n", "a/metrics.jsonl")
            let text = try await answer
            #expect(text.contains("text/event-stream"))
            #expect(text.contains("\"isWhole\":true"))
            #expect(text.contains("\"isWhole\":false") && text.contains("\"testAccuracy\":0.9375"))
        }
    }

    @Test("Clients beyond the limit are turned away, and places come free")
    func hub() {
        let hub = EventHub()
        var members = (0..<EventHub.maximumClientCount).compactMap { _ in hub.join(nil) }
        #expect(members.count == EventHub.maximumClientCount)
        #expect(hub.join(nil) == nil)
        members.removeLast(3)
        #expect(hub.clientCount == EventHub.maximumClientCount - 3)
        #expect(hub.join(nil) != nil)
    }

    @Test("Wakes that a slow client misses are one wake")
    func slow() async {
        let hub = EventHub()
        let member = hub.join(nil)
        for _ in 0..<1000 { hub.wakeAll() }
        hub.close()
        var count = 0
        if let member { for await _ in member.wakes { count += 1 } }
        #expect(count == 1)
    }
}
