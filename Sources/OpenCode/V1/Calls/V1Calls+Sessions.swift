import AgentModel

extension V1Calls {
    /// PATCH /session/{id}
    func rename(_ session: AgentSessionID, to title: String, directory: String) async throws(AgentFailure) {
        struct Body: Encodable {
            var title: String
        }
        let body = try Self.json(Body(title: title))
        _ = try await answer(.patch(Self.path(session, ""), [("directory", directory)], body: body))
    }

    /// DELETE /session/{id}
    func remove(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        _ = try await answer(.delete(Self.path(session, ""), [("directory", directory)]))
    }

    /// POST /session/{id}/fork: what has a smaller id than the message goes with it.
    func fork(
        _ session: AgentSessionID, before message: String?, directory: String
    ) async throws(AgentFailure) -> AgentSessionID {
        struct Body: Encodable {
            var messageID: String?
        }
        let body = try Self.json(Body(messageID: message))
        let call = HTTPCall.post(Self.path(session, "/fork"), [("directory", directory)], body: body)
        return AgentSessionID(rawValue: try await read(V1Session.self, call).id)
    }

    /// POST /session/{id}/revert. The messages are there until the next prompt, which removes them.
    func revert(_ session: AgentSessionID, to message: String, directory: String) async throws(AgentFailure) {
        struct Body: Encodable {
            var messageID: String
        }
        // Of a message that it does not have 1.x takes back nothing, and says yes.
        _ = try await answer(.get(Self.path(session, "/message/\(HTTPCall.encoded(message))")))
        let body = try Self.json(Body(messageID: message))
        _ = try await answer(.post(Self.path(session, "/revert"), [("directory", directory)], body: body))
    }

    /// POST /session/{id}/unrevert
    func unrevert(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        _ = try await answer(.post(Self.path(session, "/unrevert"), [("directory", directory)]))
    }
}
