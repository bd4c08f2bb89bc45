import Foundation
import HTTPTypes
import Hummingbird

/// The endpoints of opencode's v2 API that a chat needs, as docs/agent.md lists them.
struct V2Routes: Sendable {
    let agent: EchoAgent

    func router(gate: Gate) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: gate)
        router.add(middleware: V2Refusals())
        router.get("api/info") { request, _ in
            let host = request.head.authority ?? "127.0.0.1"
            return try Response.json(
                [
                    "version": .text(Line.v2.version), "pid": .number(Double(getpid())),
                    "urls": [.text("http://\(host)")], "paths": ["tmp": "/tmp"],
                ] as Shape)
        }
        router.get("api/event") { _, _ in try Routes(agent: agent).eventStream(.everything) }
        addCatalog(to: router)
        addSessions(to: router)
        addPrompts(to: router)
        addMessages(to: router)
        addAsking(to: router)
        addCopies(to: router)
        return router
    }

    /// None before anybody logged in at a provider.
    private var models: [Shape] { agent.hasProvider ? V2Catalog.models() : [] }

    private func addCatalog(to router: Router<BasicRequestContext>) {
        @Sendable func located(_ request: Request, _ data: Shape) throws -> Response {
            try Response.json(["location": V2Session.place(try request.location), "data": data] as Shape)
        }
        router.get("api/agent") { request, _ in try located(request, V2Catalog.agents()) }
        router.get("api/model") { request, _ in try located(request, .list(models)) }
        router.get("api/model/default") { request, _ in
            try located(request, models.first ?? .null)
        }
        router.get("api/provider") { request, _ in try located(request, agent.hasProvider ? V2Catalog.providers() : [])
        }
        router.get("api/command") { request, _ in
            try located(
                request,
                .list(Catalog.commands.map { ["name": .text($0.name), "description": .text($0.description)] }))
        }
    }

    private func addSessions(to router: Router<BasicRequestContext>) {
        router.get("api/session") { request, _ in try Response.json(try await list(request)) }
        router.get("api/session/active") { _, _ in
            let active = await agent.activeSessions.map { ($0, ["type": "running"] as Shape) }
            return try Self.data(.object(Dictionary(uniqueKeysWithValues: active)))
        }
        router.post("api/session") { request, context in
            let body = try await request.json(V2NewSession.self, orEmpty: V2NewSession(), context: context)
            let directory = body.location?.directory ?? FileManager.default.currentDirectoryPath
            guard directory.hasPrefix("/") else { throw APIError.invalid("location.directory must be absolute") }
            let session = try await agent.create(
                NewSession(title: body.title, parentID: body.parentID), directory: directory)
            return try Self.data(try await info(session.id))
        }
        router.get("api/session/:id") { _, context in try Self.data(try await info(try context.sessionID)) }
        router.patch("api/session/:id") { request, context in
            let body = try await request.json(V2SessionChange.self, context: context)
            let archived = body.archived.map { $0 ? WallClock.milliseconds : 0 }
            _ = try await agent.change(
                try context.sessionID, SessionChange(title: body.title, time: archived.map { .init(archived: $0) }))
            return Response(status: .noContent)
        }
        router.delete("api/session/:id") { _, context in
            try await agent.remove(try context.sessionID)
            return Response(status: .noContent)
        }
        router.post("api/experimental/session/:id/wait") { _, context in
            _ = try await agent.conversation(try context.sessionID)
            await agent.rest(of: try context.sessionID)
            return Response(status: .noContent)
        }
    }

    /// `{"data":…}`
    static func data(_ data: Shape) throws -> Response { try .json(["data": data] as Shape) }

    func info(_ id: String) async throws -> Shape {
        V2Session.info(try await agent.conversation(id), outcome: V2Session.outcome(try await agent.timeline(of: id)))
    }

    /// Newest update first; `directory`, `parentID`, `search` and `limit` narrow it.
    private func list(_ request: Request) async throws -> Shape {
        let query = request.uri.queryParameters
        let search = query["search"]?.lowercased()
        let sessions = await agent.conversations.values.map(\.session).filter { session in
            if let directory = query["directory"], directory != session.directory { return false }
            if let parent = query["parentID"], parent != session.parentID ?? "null" { return false }
            if let search, !session.title.lowercased().contains(search) { return false }
            return true
        }
        var shapes: [Shape] = []
        for session in sessions.sorted(by: { $0.time.updated < $1.time.updated }) {
            shapes.append(try await info(session.id))
        }
        return try V2Page.answer(shapes, request, newestFirst: true)
    }
}

/// Body of POST /api/session.
struct V2NewSession: Decodable {
    var title: String?
    var parentID: String?
    var location: Place?

    struct Place: Decodable {
        var directory: String
    }
}

/// Body of PATCH /api/session/{id}.
struct V2SessionChange: Decodable {
    var title: String?
    var archived: Bool?
}

extension Request {
    /// `location[directory]`, else where this process was started.
    var location: String {
        get throws {
            let query = uri.queryParameters
            guard let given = query["location[directory]"] ?? query["location%5Bdirectory%5D"] else {
                return FileManager.default.currentDirectoryPath
            }
            guard given.hasPrefix("/") else { throw APIError.invalid("location must be absolute", kind: "Query") }
            return String(given)
        }
    }
}
