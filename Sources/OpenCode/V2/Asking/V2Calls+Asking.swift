import AgentModel

extension V2Calls {
    /// GET /api/permission/request: what waits for leave in a directory.
    func permissions(directory: String) async throws(AgentFailure) -> [Asked<PermissionAsk>] {
        try await read(V2Answer<[V2Permission]>.self, .get("/api/permission/request", Self.place(directory))).data.map {
            Asked(session: $0.sessionID, ask: $0.ask)
        }
    }

    /// GET /api/form: what waits for an answer in a directory.
    func questions(directory: String) async throws(AgentFailure) -> [Asked<QuestionAsk>] {
        try await read(V2Answer<[V2Form]>.self, .get("/api/form", Self.place(directory))).data.map {
            Asked(session: $0.sessionID, ask: $0.ask)
        }
    }

    /// POST /api/session/{id}/permission/{id}/reply
    func reply(
        toPermission id: String, of session: String, _ reply: PermissionReply, message: String?, directory: String
    ) async throws(AgentFailure) {
        struct Body: Encodable {
            var decision: PermissionReply
            var message: String?
        }
        let path = Self.path(session, "/permission/\(HTTPCall.encoded(id))/reply")
        try await settle(id, .post(path, body: try Self.json(Body(decision: reply, message: message))))
    }

    /// POST /api/session/{id}/form/{id}/reply, or DELETE of the form without answers
    func reply(
        toQuestion id: String, of session: String, _ answers: [[String]]?, directory: String
    ) async throws(AgentFailure) {
        struct Body: Encodable {
            var answer: [String: V2FormValue]
        }
        let path = Self.path(session, "/form/\(HTTPCall.encoded(id))")
        guard let answers else { return try await settle(id, .delete(path)) }
        let asked = try await outcome(of: .get(path))
        try Self.requireWaiting(id, asked)
        let form = try Self.decode(V2Answer<V2Form>.self, asked).data
        guard form.isPending else { throw Self.notWaiting(id) }
        let body = try Self.json(Body(answer: try form.answer(answers)))
        try await settle(id, .post("\(path)/reply", body: body))
    }

    /// A location in a query (deepObject).
    static func place(_ directory: String) -> [(String, String)] { [("location%5Bdirectory%5D", directory)] }

    private func settle(_ id: String, _ call: HTTPCall) async throws(AgentFailure) {
        try Self.requireWaiting(id, try await outcome(of: call))
    }

    /// 404 and 409 (it was settled meanwhile): nobody waits for this answer.
    private static func requireWaiting(_ id: String, _ answer: HTTPAnswer) throws(AgentFailure) {
        if answer.head.status == 404 || answer.head.status == 409 { throw notWaiting(id) }
        if let failure = failure(of: answer.head, body: answer.body) { throw failure }
    }
}
