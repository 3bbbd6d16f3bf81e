import Testing

import Dashboard

@Suite("Who may ask the dashboard")
struct GateTests {
    private let local = Gate(isLocal: true, port: 8321, token: nil)
    private let remote = Gate(isLocal: false, port: 8321, token: "0123456789abcdef")

    private func refusal(_ gate: Gate, _ visit: Gate.Visit) -> Gate.Refusal? {
        do { try gate.check(visit) } catch { return error }
        return nil
    }

    private func visit(_ change: (inout Gate.Visit) -> Void = { _ in }) -> Gate.Visit {
        var visit = Gate.Visit(method: "GET", host: "127.0.0.1:8321")
        change(&visit)
        return visit
    }

    @Test(
        "This machine's names are known",
        arguments: ["127.0.0.1:8321", "localhost:8321", "[::1]:8321", "LocalHost:8321"])
    func hosts(host: String) {
        #expect(refusal(local, visit { $0.host = host }) == nil)
    }

    @Test(
        "Other names are refused: they may have been made to mean this machine",
        arguments: [
            nil, "", "evil.example", "evil.example:8321", "127.0.0.1", "localhost", "127.0.0.1:80",
            "127.0.0.1.evil.example:8321", "localhost:8321.evil.example", "192.168.0.7:8321",
            "[::1]",
            "127.0.0.1:8321@evil.example",
        ])
    func otherHosts(host: String?) {
        #expect(refusal(local, visit { $0.host = host }) == .host)
    }

    @Test(
        "Requests that another site caused are refused",
        arguments: ["cross-site", "same-site", "Same-Origin", "", "anything"])
    func sites(site: String) {
        #expect(refusal(local, visit { $0.site = site }) == .crossSite)
        #expect(refusal(local, visit { $0.site = "same-origin" }) == nil)
        #expect(refusal(local, visit { $0.site = "none" }) == nil)
    }

    @Test(
        "Another origin is refused, whatever the method",
        arguments: [
            "http://evil.example", "null", "http://localhost:8321", "http://127.0.0.1:8322",
            "http://127.0.0.1", "", "file://",
        ], ["GET", "POST"])
    func origins(origin: String, method: String) {
        let visit = visit {
            ($0.origin, $0.method, $0.mark) = (origin, method, Gate.mark)
        }
        #expect(refusal(local, visit) == .crossSite)
    }

    @Test("Its own origin is fine")
    func ownOrigin() {
        #expect(refusal(local, visit { $0.origin = "http://127.0.0.1:8321" }) == nil)
    }

    @Test("Something is done only for the page, or a program that says so")
    func posting() {
        func post(_ change: (inout Gate.Visit) -> Void) -> Gate.Refusal? {
            refusal(
                local,
                visit {
                    $0.method = "POST"
                    change(&$0)
                })
        }
        #expect(post { $0.mark = Gate.mark } == nil)
        #expect(post { ($0.mark, $0.site) = (Gate.mark, "same-origin") } == nil)
        #expect(post { _ in } == .method)
        #expect(post { $0.mark = "something" } == .method)
        #expect(post { ($0.mark, $0.site) = (Gate.mark, "none") } == .method)
        #expect(post { ($0.mark, $0.site) = (Gate.mark, "cross-site") } == .crossSite)
    }

    @Test(
        "Other methods are refused",
        arguments: ["OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", ""])
    func methods(method: String) {
        #expect(refusal(local, visit { ($0.method, $0.mark) = (method, Gate.mark) }) == .method)
    }

    @Test(
        "Elsewhere nothing goes without the token",
        arguments: [
            [], [""], ["0123456789abcde"], ["0123456789abcdef0"], ["0123456789abcdeF"], ["x", "y"],
        ])
    func tokens(tokens: [String]) {
        #expect(refusal(remote, visit { $0.tokens = tokens }) == .token)
        let both = visit {
            ($0.host, $0.tokens) = ("machine.example:8321", tokens + [remote.token!])
        }
        #expect(refusal(remote, both) == nil)
        #expect(refusal(Gate(isLocal: false, port: 1, token: nil), both) == .host)
    }

    @Test("The token does not help other sites")
    func tokenAndSite() {
        let token = remote.token!
        #expect(
            refusal(remote, visit { ($0.tokens, $0.site) = ([token], "cross-site") }) == .crossSite)
        #expect(
            refusal(remote, visit { ($0.tokens, $0.origin) = ([token], "http://evil.example") })
                == .crossSite)
    }

    @Test("Tokens have 128 bits and differ")
    func newTokens() {
        let tokens = (0..<100).map { _ in Gate.newToken() }
        #expect(Set(tokens).count == 100)
        #expect(tokens.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }
}
