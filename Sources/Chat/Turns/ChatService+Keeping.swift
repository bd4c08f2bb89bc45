extension ChatService {
    private struct FoundLine: Encodable {
        var type = "found"
        var session: SessionID
        var title: String
        var turn: TurnID
        var snippet: String
        var created: Int64
    }

    /// Turns with all these words, newest first, one frame each.
    public func search(_ text: String, limit: Int, to send: Sink) async throws {
        for found in try await store.search(text, limit: limit) {
            let line = FoundLine(
                session: found.session, title: found.title, turn: found.turn, snippet: found.snippet,
                created: found.created)
            try await send(Self.json(line))
        }
    }

    /// Gives a session another title.
    public func rename(_ session: SessionID, to title: String) async throws {
        try await store.rename(session, to: title)
        await runner.runErrands()
    }

    /// Forgets a session; who watches it is told that it is not there any more.
    public func delete(_ session: SessionID) async throws {
        try await store.delete(session)
        await hub.forget(session)
        try await store.sweepAttachments()
        await runner.runErrands()
    }
}
