import AgentModel

extension V1Calls {
    /// GET /permission: what waits for leave in a directory.
    func permissions(directory: String) async throws(AgentFailure) -> [Asked<PermissionAsk>] {
        try await read([V1Permission].self, .get("/permission", [("directory", directory)])).map {
            Asked(session: $0.sessionID, ask: $0.ask)
        }
    }

    /// GET /question: what waits for an answer in a directory.
    func questions(directory: String) async throws(AgentFailure) -> [Asked<QuestionAsk>] {
        try await read([V1Question].self, .get("/question", [("directory", directory)])).map {
            Asked(session: $0.sessionID, ask: $0.ask)
        }
    }

    /// POST /permission/{id}/reply
    func reply(
        toPermission id: String, of session: String, _ reply: PermissionReply, message: String?, directory: String
    ) async throws(AgentFailure) {
        struct Body: Encodable {
            var reply: PermissionReply
            var message: String?
        }
        let body = try Self.json(Body(reply: reply, message: message))
        try await send("/permission/\(HTTPCall.encoded(id))/reply", body, about: id, directory)
    }

    /// POST /question/{id}/reply, or …/reject without answers
    func reply(
        toQuestion id: String, of session: String, _ answers: [[String]]?, directory: String
    ) async throws(AgentFailure) {
        struct Body: Encodable {
            var answers: [[String]]
        }
        let path = "/question/\(HTTPCall.encoded(id))"
        guard let answers else { return try await send("\(path)/reject", nil, about: id, directory) }
        try await send("\(path)/reply", try Self.json(Body(answers: answers)), about: id, directory)
    }

    private func send(
        _ path: String, _ body: [UInt8]?, about id: String, _ directory: String
    ) async throws(AgentFailure) {
        do {
            _ = try await answer(.post(path, [("directory", directory)], body: body))
        } catch {
            throw error.code == .unknown ? Self.notWaiting(id) : error
        }
    }
}
