import Hummingbird

extension V2Routes {
    /// What was said, and what was changed.
    func addMessages(to router: Router<BasicRequestContext>) {
        router.get("api/session/:id/message") { request, context in
            let type = request.uri.queryParameters["type"].map { Shape.text(String($0)) }
            let shapes = try await agent.timeline(of: try context.sessionID).filter { shape in
                type == nil || shape["type"] == type
            }
            return try Response.json(try V2Page.answer(shapes, request, newestFirst: false))
        }
        router.get("api/session/:id/message/:message") { _, context in
            let session = try context.sessionID
            let id: String = try context.parameters.require("message")
            guard let message = try await agent.timeline(of: session).last(where: { $0["id"] == .text(id) }) else {
                throw APIError.noMessage(id, in: session)
            }
            return try Self.data(message)
        }
        router.get("api/session/:id/diff") { request, context in
            let session = try context.sessionID
            let from = request.uri.queryParameters["from"].map(String.init)
            let prompts = try await agent.conversation(session).messages.filter { $0.info.role == .user }
            let id = from ?? prompts.last?.info.id ?? ""
            guard from == nil || prompts.contains(where: { $0.info.id == id }) else {
                throw APIError.noMessage(id, in: session)
            }
            let diffs = await agent.diffs[id] ?? []
            return try Self.data(.list(diffs.map(\.shape)))
        }
    }
}

extension FileDiff {
    fileprivate var shape: Shape {
        [
            "file": .text(file), "patch": .text(patch), "additions": .number(Double(additions)),
            "deletions": .number(Double(deletions)), "status": .text(status),
        ]
    }
}
