import Hummingbird

extension Routes {
    /// Copies of sessions, and what is taken back.
    func addCopies(to router: Router<BasicRequestContext>) {
        router.post("session/:id/fork") { request, context in
            let body = try await request.json(ForkRequest.self, orEmpty: ForkRequest(), context: context)
            return try Response.json(try await agent.fork(try context.sessionID, before: body.messageID))
        }
        router.post("session/:id/revert") { request, context in
            let body = try await request.json(RevertRequest.self, context: context)
            return try Response.json(try await agent.revert(try context.sessionID, to: body.messageID))
        }
        router.post("session/:id/unrevert") { _, context in
            try Response.json(try await agent.unrevert(try context.sessionID))
        }
    }
}

extension V2Routes {
    /// The same, and the summary, in 2.x.
    func addCopies(to router: Router<BasicRequestContext>) {
        router.post("api/session/:id/fork") { request, context in
            let body = try await request.json(V2ForkRequest.self, orEmpty: V2ForkRequest(), context: context)
            return try Self.data(try await info(try await agent.fork(try context.sessionID, before: body.before).id))
        }
        router.post("api/session/:id/revert/stage") { request, context in
            let body = try await request.json(RevertRequest.self, context: context)
            _ = try await agent.revert(try context.sessionID, to: body.messageID)
            return try Self.data(["messageID": .text(body.messageID)])
        }
        router.post("api/session/:id/revert/commit") { _, context in
            try await agent.commitRevert(of: try context.sessionID)
            return Response(status: .noContent)
        }
        router.delete("api/session/:id/revert") { _, context in
            _ = try await agent.unrevert(try context.sessionID)
            return Response(status: .noContent)
        }
        router.post("api/session/:id/compact") { request, context in
            let body = try await request.json(V2CompactRequest.self, orEmpty: V2CompactRequest(), context: context)
            let session = try await agent.conversation(try context.sessionID).session
            let id = body.id ?? Identifier.message()
            try await agent.beginSummary(
                SummaryRequest(providerID: session.model.providerID, modelID: session.model.id), message: id,
                in: session.id)
            return try Self.data([
                "id": .text(id), "sessionID": .text(session.id), "time": ["created": .time(WallClock.milliseconds)],
                "type": "compaction", "payload": [:], "delivery": "queue",
            ])
        }
    }
}

/// Body of POST /session/{id}/fork.
struct ForkRequest: Decodable {
    var messageID: String?
}

/// Body of POST /session/{id}/revert and …/revert/stage.
struct RevertRequest: Decodable {
    var messageID: String
}

/// Body of POST /api/session/{id}/fork.
struct V2ForkRequest: Decodable {
    var before: String?
}

/// Body of POST /api/session/{id}/compact.
struct V2CompactRequest: Decodable {
    var id: String?
}
