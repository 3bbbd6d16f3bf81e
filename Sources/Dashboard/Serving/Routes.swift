import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Training

/// What the server answers.
struct Routes {
    let index: RunIndex
    let hub: EventHub
    let gate: @Sendable () -> Gate

    func router() -> Router<DashboardContext> {
        let router = Router(context: DashboardContext.self)
        router.add(middleware: GateMiddleware(gate: gate))
        for (path, file) in PageFile.all {
            router.get(RouterPath(path)) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "\(file.type); charset=utf-8"],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
            }
        }
        router.get("/api/runs") { _, _ in
            await index.look()
            return Self.json(await index.changes(since: 0))
        }
        router.get("/api/series") { request, _ in
            let (reader, revision) = try await reader(request)
            return Self.json(await reader.readSeries(revision: revision))
        }
        router.get("/api/layers") { request, _ in
            let (reader, revision) = try await reader(request)
            return Self.json(await reader.readLayers(revision: revision))
        }
        router.get("/api/layer") { request, _ in
            let (reader, _) = try await reader(request)
            guard let number = request.uri.queryParameters["index"].flatMap({ Int($0) }),
                let answer = await reader.readLayer(number)
            else { throw HTTPError(.notFound, message: "There is no such layer.") }
            return Self.json(answer)
        }
        router.post("/api/stop") { request, _ in try await stop(request) }
        router.get("/api/events") { _, context in events(context) }
        return router
    }

    private func reader(_ request: Request) async throws -> (RunReader, Int) {
        guard let id = request.uri.queryParameters["run"],
            let found = await index.reader(String(id))
        else { throw HTTPError(.notFound, message: "There is no such run.") }
        return found
    }

    private func stop(_ request: Request) async throws -> Response {
        let id = request.uri.queryParameters["run"].map { String($0) } ?? ""
        switch await index.stop(id) {
        case .requested: return Response(status: .accepted)
        case .noSuchRun: throw HTTPError(.notFound, message: "There is no such run.")
        case .isNotRunning: throw HTTPError(.conflict, message: "This run does not run.")
        case .isNotWritable:
            throw HTTPError(.forbidden, message: "The run's folder cannot be written to.")
        }
    }

    /// Server-sent events: what changed in the list of runs, from all of it on.
    private func events(_ context: DashboardContext) -> Response {
        guard let membership = hub.join(context.channel) else {
            return Response(status: .serviceUnavailable, headers: [.retryAfter: "10"])
        }
        let index = index
        let body = ResponseBody { writer in
            var version = 0
            for await _ in membership.wakes.cancelOnGracefulShutdown() {
                let changes = await index.changes(since: version)
                let isNews = changes.version != version || version == 0
                version = changes.version
                // A comment keeps the connection open, and finds those that are gone.
                let text =
                    isNews ? "event: runs\ndata: \(JSONLines.encode(changes))\n\n" : ":\n\n"
                membership.writes(true)
                try await writer.write(ByteBuffer(string: text))
                membership.writes(false)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }

    private static func json(_ value: some Encodable) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: JSONLines.encode(value))))
    }
}
