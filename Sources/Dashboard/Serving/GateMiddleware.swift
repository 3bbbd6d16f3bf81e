import HTTPTypes
import Hummingbird

/// Asks the gate about every request, and says in every answer what browsers shall not do with it.
struct GateMiddleware: RouterMiddleware {
    let gate: @Sendable () -> Gate

    func handle(
        _ request: Request, context: DashboardContext,
        next: (Request, DashboardContext) async throws -> Response
    ) async throws -> Response {
        let gate = gate()
        var response: Response
        do {
            try gate.check(request.visit(gate))
            response =
                request.uri.path == "/" && request.uri.queryParameters["token"] != nil
                ? Self.welcome(gate) : try await next(request, context)
        } catch let refusal as Gate.Refusal {
            response = Response(
                status: refusal == .token ? .unauthorized : .forbidden,
                headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: refusal.sentence + "\n")))
        } catch let error as HTTPError {
            response = try error.response(from: request, context: context)
        }
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    /// Nothing but what this server sends may become part of the page, and the page part of no other.
    private static let headers: [(HTTPField.Name, String)] = [
        (
            HTTPField.Name("Content-Security-Policy")!,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        (HTTPField.Name("X-Content-Type-Options")!, "nosniff"),
        (HTTPField.Name("Referrer-Policy")!, "no-referrer"),
        (HTTPField.Name("Cross-Origin-Resource-Policy")!, "same-origin"),
        (HTTPField.Name("Cross-Origin-Opener-Policy")!, "same-origin"),
        (.cacheControl, "no-store"),
    ]

    /// Keeps the token in a cookie and takes it out of the address, where others may read it.
    private static func welcome(_ gate: Gate) -> Response {
        var headers: HTTPFields = [.location: "/"]
        if let token = gate.token {
            headers[.setCookie] =
                "\(gate.cookieName)=\(token); Path=/; HttpOnly; SameSite=Strict"
        }
        return Response(status: .seeOther, headers: headers)
    }
}

extension Gate {
    /// Cookies do not tell ports apart.
    fileprivate var cookieName: String { "evenkeel-\(port)" }
}

extension Request {
    fileprivate func visit(_ gate: Gate) -> Gate.Visit {
        var visit = Gate.Visit(
            method: method.rawValue, host: head.authority, origin: headers[.origin],
            site: headers[HTTPField.Name("Sec-Fetch-Site")!],
            mark: headers[HTTPField.Name("X-EvenKeel")!])
        visit.tokens = uri.queryParameters.getAll("token")
        for cookie in (headers[.cookie] ?? "").split(separator: ";") {
            let parts = cookie.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0].drop(while: { $0 == " " }) == gate.cookieName {
                visit.tokens.append(String(parts[1]))
            }
        }
        return visit
    }
}
