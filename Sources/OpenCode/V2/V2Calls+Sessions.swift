import AgentModel

extension V2Calls {
    /// PATCH /api/session/{id}
    func rename(_ session: AgentSessionID, to title: String, directory: String) async throws(AgentFailure) {
        struct Body: Encodable {
            var title: String
        }
        try await carryOut(.patch(Self.path(session.rawValue, ""), body: try Self.json(Body(title: title))))
    }

    /// DELETE /api/session/{id}
    func remove(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        try await carryOut(.delete(Self.path(session.rawValue, "")))
    }

    /// POST /api/session/{id}/fork
    func fork(
        _ session: AgentSessionID, before message: String?, directory: String
    ) async throws(AgentFailure) -> AgentSessionID {
        struct Body: Encodable {
            var before: String?
        }
        let body = try Self.json(Body(before: message))
        let made = try await read(
            V2Answer<V2Session>.self, .post(Self.path(session.rawValue, "/fork"), body: body))
        return AgentSessionID(rawValue: made.data.id)
    }

    /// POST /api/session/{id}/revert/stage, with the files. It is committed by the next prompt (`commitRevert`).
    func revert(_ session: AgentSessionID, to message: String, directory: String) async throws(AgentFailure) {
        struct Body: Encodable {
            var messageID: String
            var files = true
        }
        let body = try Self.json(Body(messageID: message))
        _ = try await answer(.post(Self.path(session.rawValue, "/revert/stage"), body: body))
    }

    /// DELETE /api/session/{id}/revert
    func unrevert(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        try await carryOut(.delete(Self.path(session.rawValue, "/revert")))
    }

    /// POST /api/session/{id}/revert/commit, where something is staged: what is said next is said after what is left.
    func commitRevert(_ session: AgentSessionID) async throws(AgentFailure) {
        let known = try await read(V2Answer<V2Session>.self, .get(Self.path(session.rawValue, ""))).data
        if known.revert != nil { try await carryOut(.post(Self.path(session.rawValue, "/revert/commit"))) }
    }

    /// POST /api/session/{id}/compact, with an id of ours, and POST /api/experimental/session/{id}/wait, which answers when
    /// the session rests.
    func compact(_ session: AgentSessionID, id: String, choice: TurnChoice) async throws(AgentFailure) {
        struct Body: Encodable {
            var id: String
            var delivery = "queue"
        }
        try await choose(choice, for: session)
        try await carryOut(.post(Self.path(session.rawValue, "/compact"), body: try Self.json(Body(id: id))))
        var wait = HTTPCall.post("/api/experimental/session/\(HTTPCall.encoded(session.rawValue))/wait")
        wait.limit = nil
        try await carryOut(wait)
    }
}
