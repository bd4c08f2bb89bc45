import Hummingbird

extension V2Routes {
    /// Handing over, taking back, stopping, choosing.
    func addPrompts(to router: Router<BasicRequestContext>) {
        router.post("api/session/:id/prompt") { request, context in
            let body = try await request.json(V2Prompt.self, context: context)
            return try Self.data(try await accept(body, in: try context.sessionID))
        }
        router.post("api/session/:id/interrupt") { _, context in
            let interrupted = try await agent.interrupt(try context.sessionID)
            return try Response.json(["interrupted": .yes(interrupted)] as Shape)
        }
        router.post("api/session/:id/agent") { request, context in
            let body = try await request.json(V2AgentChoice.self, context: context)
            try await agent.choose(agent: body.agent, in: try context.sessionID)
            return Response(status: .noContent)
        }
        router.post("api/session/:id/model") { request, context in
            let body = try await request.json(V2ModelChoice.self, context: context)
            try await agent.choose(model: body.model, in: try context.sessionID)
            return Response(status: .noContent)
        }
        router.get("api/session/:id/inbox") { _, context in
            try Self.data(.list(try await agent.inbox(of: try context.sessionID).map(V2Message.waiting)))
        }
        router.delete("api/session/:id/inbox/:prompt") { _, context in
            try await agent.withdraw(try context.parameters.require("prompt"), in: try context.sessionID)
            return Response(status: .noContent)
        }
    }

    /// An id that is known already is the same prompt once more, unless its text is another one.
    private func accept(_ body: V2Prompt, in id: String) async throws -> Shape {
        if let known = try await agent.conversation(id).messages.last(where: { $0.info.id == body.id }) {
            guard known.info.role == .user, known.text == body.text else {
                throw APIError.conflict("there is another message \(known.info.id) already")
            }
            return V2Message.waiting(known)
        }
        let prompt = body.prompt
        if body.resume == false {
            _ = try await agent.leave(prompt, in: id)
        } else {
            try await agent.takeUpInbox(of: id)
            _ = try await agent.accept(prompt, in: id)
        }
        guard let stored = try await agent.conversation(id).messages.last(where: { $0.info.id == prompt.messageID })
        else { throw APIError.noMessage(prompt.messageID ?? "", in: id) }
        return V2Message.waiting(stored)
    }
}

/// Body of POST /api/session/{id}/agent.
struct V2AgentChoice: Decodable {
    var agent: String
}

/// Body of POST /api/session/{id}/model.
struct V2ModelChoice: Decodable {
    var model: Session.Model
}

/// Body of POST /api/session/{id}/prompt. What an echo has no use for (agents, skills) is read over.
struct V2Prompt: Decodable {
    var id: String?
    var text: String
    var files: [File]?
    var metadata: Shape?
    var resume: Bool?

    struct File: Decodable {
        var uri: String
        var name: String?
    }

    /// With an id in any case.
    var prompt: Prompt {
        let files = (files ?? []).map { file in
            Prompt.Part(
                type: "file", mime: file.uri.dropFirst(5).split(separator: ";").first.map(String.init),
                filename: file.name, url: file.uri)
        }
        return Prompt(
            parts: [Prompt.Part(type: "text", text: text)] + files, messageID: id ?? Identifier.message(),
            metadata: metadata)
    }
}
