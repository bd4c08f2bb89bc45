import Hummingbird

extension V2Routes {
    /// What waits for the user, and the answers.
    func addAsking(to router: Router<BasicRequestContext>) {
        addPermissions(to: router)
        addForms(to: router)
    }

    private func addPermissions(to router: Router<BasicRequestContext>) {
        router.get("api/permission/request") { request, _ in
            let directory = try request.location
            let waiting = await agent.permissions(in: directory).map(V2Asking.permission)
            return try Response.json(["location": V2Session.place(directory), "data": .list(waiting)] as Shape)
        }
        router.get("api/session/:id/permission") { _, context in
            try Self.data(.list(try await permissions(of: try context.sessionID).map(V2Asking.permission)))
        }
        router.post("api/session/:id/permission/:request/reply") { request, context in
            let body = try await request.json(V2PermissionAnswer.self, context: context)
            let id: String = try context.parameters.require("request")
            guard try await permissions(of: try context.sessionID).contains(where: { $0.id == id }) else {
                throw APIError.notWaiting(id, tag: "PermissionNotFoundError")
            }
            try await agent.answer(permission: id, PermissionAnswer(reply: body.decision, message: body.message))
            return Response(status: .noContent)
        }
    }

    private func addForms(to router: Router<BasicRequestContext>) {
        router.get("api/form") { request, _ in
            let directory = try request.location
            let waiting = await agent.questions(in: directory).map(V2Asking.form)
            return try Response.json(["location": V2Session.place(directory), "data": .list(waiting)] as Shape)
        }
        router.get("api/session/:id/form") { _, context in
            try Self.data(.list(try await questions(of: try context.sessionID).map(V2Asking.form)))
        }
        router.get("api/session/:id/form/:form") { _, context in
            guard case .object(var form) = V2Asking.form(try await question(context)) else {
                return Response(status: .notFound)
            }
            form["state"] = ["status": "pending"]
            return try Self.data(.object(form))
        }
        router.delete("api/session/:id/form/:form") { _, context in
            try await agent.answer(question: try await question(context).id, nil)
            return Response(status: .noContent)
        }
        router.post("api/session/:id/form/:form/reply") { request, context in
            let body = try await request.json(V2FormAnswer.self, context: context)
            let question = try await question(context)
            try await agent.answer(question: question.id, try V2Asking.answers(body.answer, to: question))
            return Response(status: .noContent)
        }
    }

    private func permissions(of session: String) async throws -> [PermissionRequest] {
        let directory = try await agent.conversation(session).session.directory
        return await agent.permissions(in: directory).filter { $0.sessionID == session }
    }

    private func questions(of session: String) async throws -> [QuestionRequest] {
        let directory = try await agent.conversation(session).session.directory
        return await agent.questions(in: directory).filter { $0.sessionID == session }
    }

    private func question(_ context: BasicRequestContext) async throws -> QuestionRequest {
        let id: String = try context.parameters.require("form")
        guard let question = try await questions(of: try context.sessionID).first(where: { $0.id == id }) else {
            throw agent.broker.isSettled(id) ? APIError.settled(id) : .notWaiting(id, tag: "FormNotFoundError")
        }
        return question
    }
}

/// Body of POST …/permission/{id}/reply
struct V2PermissionAnswer: Decodable {
    var decision: PermissionAnswer.Reply
    var message: String?
}

/// Body of POST …/form/{id}/reply
struct V2FormAnswer: Decodable {
    var answer: [String: Shape]
}
