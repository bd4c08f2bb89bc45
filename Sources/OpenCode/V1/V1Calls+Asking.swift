import AgentModel

extension V1Calls {
    /// GET /permission: what waits for leave in a directory.
    func permissions(directory: String) async throws(AgentFailure) -> [V1Permission] {
        try await read([V1Permission].self, .get("/permission", [("directory", directory)]))
    }

    /// GET /question: what waits for an answer in a directory.
    func questions(directory: String) async throws(AgentFailure) -> [V1Question] {
        try await read([V1Question].self, .get("/question", [("directory", directory)]))
    }

    /// POST /permission/{id}/reply
    func reply(
        toPermission id: String, _ reply: PermissionReply, message: String?, directory: String
    ) async throws(AgentFailure) {
        struct Body: Encodable {
            var reply: PermissionReply
            var message: String?
        }
        let body = try Self.json(Body(reply: reply, message: message))
        try await send("/permission/\(HTTPCall.encoded(id))/reply", body, about: id, directory)
    }

    /// POST /question/{id}/reply, or …/reject without answers
    func reply(toQuestion id: String, _ answers: [[String]]?, directory: String) async throws(AgentFailure) {
        struct Body: Encodable {
            var answers: [[String]]
        }
        let path = "/question/\(HTTPCall.encoded(id))"
        guard let answers else { return try await send("\(path)/reject", nil, about: id, directory) }
        try await send("\(path)/reply", try Self.json(Body(answers: answers)), about: id, directory)
    }

    /// Nobody waits for this answer.
    static func notWaiting(_ id: String) -> AgentFailure {
        AgentFailure(.unknown, "\(id) does not wait for an answer (any more); somebody else may have given it")
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
