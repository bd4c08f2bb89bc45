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
        var end: String?
        if let message { end = try await place(of: message, in: session, directory: directory) }
        let body = try Self.json(Body(messageID: end))
        let call = HTTPCall.post(Self.path(session, "/fork"), [("directory", directory)], body: body)
        return AgentSessionID(rawValue: try await read(V1Session.self, call).id)
    }

    /// POST /session/{id}/revert. The messages are there until the next prompt, which removes them.
    func revert(_ session: AgentSessionID, to message: String, directory: String) async throws(AgentFailure) {
        struct Body: Encodable {
            var messageID: String
        }
        // Of a message that it does not have 1.x takes back nothing, and says yes.
        let place = try await place(of: message, in: session, directory: directory)
        let body = try Self.json(Body(messageID: place))
        _ = try await answer(.post(Self.path(session, "/revert"), [("directory", directory)], body: body))
    }

    /// POST /session/{id}/unrevert
    func unrevert(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        _ = try await answer(.post(Self.path(session, "/unrevert"), [("directory", directory)]))
    }

    /// Where a turn begins: at the message with the id that was given to its prompt. A summary takes no id from us, so its
    /// turn begins at the message that asks for one, the first behind that id.
    private func place(
        of message: String, in session: AgentSessionID, directory: String
    ) async throws(AgentFailure) -> String {
        do throws(AgentFailure) {
            _ = try await answer(.get(Self.path(session, "/message/\(HTTPCall.encoded(message))")))
            return message
        } catch {
            guard error.code == .unknown,
                let first = try await messages(session, since: message, directory: directory).first, first.isCompaction
            else { throw error }
            return first.info.id
        }
    }
}
