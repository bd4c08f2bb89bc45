import Hummingbird

extension Routes {
    /// What waits for the user, and the answers.
    func addAsking(to router: Router<BasicRequestContext>) {
        router.get("permission") { request, _ in
            try Response.json(await agent.permissions(in: try request.directory))
        }
        router.get("question") { request, _ in
            try Response.json(await agent.questions(in: try request.directory))
        }
        router.post("permission/:request/reply") { request, context in
            let body = try await request.json(PermissionAnswer.self, context: context)
            try await agent.answer(permission: try context.parameters.require("request"), body)
            return try Response.json(true)
        }
        router.post("question/:request/reply") { request, context in
            let body = try await request.json(QuestionAnswer.self, context: context)
            try await agent.answer(question: try context.parameters.require("request"), body.answers)
            return try Response.json(true)
        }
        router.post("question/:request/reject") { _, context in
            try await agent.answer(question: try context.parameters.require("request"), nil)
            return try Response.json(true)
        }
    }
}
