/// Who may ask for what: every request passes here before anything is read.
///
/// A page of another site, open in the same browser, can send requests to an address of this machine. It
/// cannot read answers, but a request may do something, and a name that changes its address (DNS
/// rebinding) makes this server look like that page's own. So requests must name this server (`Host`), and
/// must not come from elsewhere (`Origin`, `Sec-Fetch-Site`); whoever stops a run must also say so in a
/// header that other sites cannot set.
package struct Gate: Sendable {
    /// Whether it is bound to an address of this machine alone.
    let isLocal: Bool
    let port: Int
    /// Needed for everything when it is not local.
    package let token: String?

    package init(isLocal: Bool, port: Int, token: String?) {
        (self.isLocal, self.port, self.token) = (isLocal, port, token)
    }

    /// What of a request decides.
    package struct Visit {
        package var method: String
        package var host: String?
        package var origin: String?
        /// `Sec-Fetch-Site`, which browsers send.
        package var site: String?
        /// `X-EvenKeel`
        package var mark: String?
        /// From the address or the cookie.
        package var tokens: [String] = []

        package init(
            method: String, host: String? = nil, origin: String? = nil, site: String? = nil,
            mark: String? = nil
        ) {
            (self.method, self.host, self.origin) = (method, host, origin)
            (self.site, self.mark) = (site, mark)
        }
    }

    package enum Refusal: Error, Hashable {
        case host, crossSite, token, method

        var sentence: String {
            switch self {
            case .host:
                "This dashboard does not go by that name: open it at the address it printed."
            case .crossSite:
                "Requests from other sites are refused: type or paste the address yourself."
            case .token:
                "This dashboard asks for its token: open it at the whole address it printed."
            case .method: "Only the page of the dashboard may do this."
            }
        }
    }

    /// The header that says that the page itself asks for something to be done.
    package static let mark = "stop"

    package func check(_ visit: Visit) throws(Refusal) {
        guard let host = visit.host, isKnown(host) else { throw .host }
        if let site = visit.site, site != "same-origin", site != "none" { throw .crossSite }
        if let origin = visit.origin, !["http://\(host)", "https://\(host)"].contains(origin) {
            throw .crossSite
        }
        if let token {
            guard visit.tokens.contains(where: { Self.areEqual($0, token) }) else { throw .token }
        }
        switch visit.method {
        case "GET", "HEAD": return
        case "POST":
            // Typed addresses never post.
            guard visit.mark == Self.mark, visit.site != "none" else { throw .method }
        default: throw .method
        }
    }

    /// On an address of this machine only its own names; elsewhere the token stands for that.
    private func isKnown(_ host: String) -> Bool {
        guard isLocal else { return !host.isEmpty && token != nil }
        return ["127.0.0.1", "localhost", "[::1]"].contains { name in
            host.lowercased() == "\(name):\(port)" || (port == 80 && host.lowercased() == name)
        }
    }

    /// Takes the same time for any text of the token's length.
    static func areEqual(_ text: String, _ token: String) -> Bool {
        let (first, second) = (Array(text.utf8), Array(token.utf8))
        var difference: UInt8 = first.count == second.count ? 0 : 1
        for index in second.indices {
            difference |= second[index] ^ (index < first.count ? first[index] : 0)
        }
        return difference == 0
    }

    /// 128 bits from the system.
    package static func newToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
