import Foundation
import Hummingbird
import HTTPTypes

/// The endpoints of opencode's v1 API that a chat needs, as docs/agent.md lists them.
struct Routes: Sendable {
    /// Sessions listed when no limit is given.
    static let defaultListLimit = 100

    let agent: EchoAgent

    func router(gate: Gate) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: gate)
        router.add(middleware: Refusals())
        router.get("global/health") { _, _ in try Response.json(Health()) }
        router.get("global/event") { _, _ in try eventStream(.global) }
        router.get("event") { request, _ in try eventStream(.directory(try request.directory)) }
        addCatalog(to: router)
        addSessions(to: router)
        addMessages(to: router)
        addAsking(to: router)
        addCopies(to: router)
        return router
    }

    private struct Health: Encodable {
        var healthy = true
        var version = Line.v1.version
    }

    private func addCatalog(to router: Router<BasicRequestContext>) {
        router.get("agent") { _, _ in try Response.json(Catalog.agents) }
        router.get("config/providers") { _, _ in
            try Response.json(agent.hasProvider ? Catalog.configured : Catalog.none)
        }
        router.get("provider") { _, _ in try Response.json(Catalog.all) }
        router.get("command") { _, _ in try Response.json(Catalog.commands) }
    }

    private func addSessions(to router: Router<BasicRequestContext>) {
        router.get("session") { request, _ in try Response.json(try await list(request)) }
        router.get("session/status") { request, _ in
            try Response.json(await agent.busySessions(in: try request.directory))
        }
        router.post("session") { request, context in
            let body = try await request.json(NewSession.self, orEmpty: NewSession(), context: context)
            return try Response.json(try await agent.create(body, directory: try request.directory))
        }
        router.get("session/:id") { _, context in
            try Response.json(try await agent.conversation(try context.sessionID).session)
        }
        router.patch("session/:id") { request, context in
            let body = try await request.json(SessionChange.self, context: context)
            return try Response.json(try await agent.change(try context.sessionID, body))
        }
        router.delete("session/:id") { _, context in
            try await agent.remove(try context.sessionID)
            return try Response.json(true)
        }
        router.get("session/:id/children") { _, context in
            let id = try context.sessionID
            _ = try await agent.conversation(id)
            return try Response.json(await agent.conversations.values.map(\.session).filter { $0.parentID == id })
        }
        router.get("session/:id/todo") { _, context in
            let id = try context.sessionID
            _ = try await agent.conversation(id)
            return try Response.json(await agent.todos[id] ?? [])
        }
        router.get("session/:id/diff") { request, context in
            _ = try await agent.conversation(try context.sessionID)
            // Of a message only: of a session at rest opencode 1.18 answers with nothing.
            let message = request.uri.queryParameters["messageID"].map(String.init) ?? ""
            return try Response.json(await agent.diffs[message] ?? [])
        }
        router.post("session/:id/abort") { _, context in
            try await agent.abort(try context.sessionID)
            return try Response.json(true)
        }
    }

    private func addMessages(to router: Router<BasicRequestContext>) {
        router.get("session/:id/message") { request, context in
            let conversation = try await agent.conversation(try context.sessionID)
            let limit = try request.number("limit")
            let before = request.uri.queryParameters["before"].map(String.init)
            guard before == nil || limit != nil else { throw APIError.invalid("before needs limit", kind: "Query") }
            let page = conversation.page(limit: limit, before: before)
            var headers = HTTPFields()
            if let next = page.next, let name = HTTPField.Name("X-Next-Cursor") { headers[name] = next }
            return try Response.json(page.messages, headers: headers)
        }
        router.get("session/:id/message/:message") { _, context in
            let conversation = try await agent.conversation(try context.sessionID)
            let id = context.parameters.get("message")
            guard let message = conversation.messages.last(where: { $0.info.id == id }) else {
                throw APIError.notFound("Message not found: \(id ?? "")")
            }
            return try Response.json(message)
        }
        router.post("session/:id/message") { request, context in
            let prompt = try await request.json(Prompt.self, context: context)
            return try Response.json(try await agent.accept(prompt, in: try context.sessionID).value)
        }
        router.post("session/:id/command") { request, context in
            let command = try await request.json(CommandRequest.self, context: context)
            return try Response.json(try await agent.call(command, in: try context.sessionID).value)
        }
        router.post("session/:id/summarize") { request, context in
            let wanted = try await request.json(SummaryRequest.self, context: context)
            try await agent.summarize(wanted, in: try context.sessionID)
            return try Response.json(true)
        }
        router.post("session/:id/prompt_async") { request, context in
            let prompt = try await request.json(Prompt.self, context: context)
            _ = try await agent.accept(prompt, in: try context.sessionID)
            return Response(status: .noContent)
        }
    }

    /// Newest update first; `directory`, `roots`, `start`, `search` and `limit` narrow it.
    private func list(_ request: Request) async throws -> [Session] {
        let query = request.uri.queryParameters
        let start = try request.number("start")
        let search = query["search"]?.lowercased()
        let limit = try request.number("limit") ?? Self.defaultListLimit
        let sessions = await agent.conversations.values.map(\.session).filter { session in
            if let directory = query["directory"], directory != session.directory { return false }
            if query["roots"] == "true", session.parentID != nil { return false }
            if let start, session.time.updated < UInt64(start) { return false }
            if let search, !session.title.lowercased().contains(search) { return false }
            return true
        }
        return Array(sessions.sorted { $0.time.updated > $1.time.updated }.prefix(limit))
    }
}
