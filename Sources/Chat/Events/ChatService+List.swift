extension ChatService {
    private struct SessionLine: Encodable {
        var type = "session"
        var number: ListNumber?
        var session: SessionID
        var title: String
        var workspace: String?
        var model: String?
        var agent: String?
        var state: TurnState
        var turns: Int
        var tokens: Int
        var cost: Double
        var reverted: Int?
        var asking: Int?
        var place: Int64
        var created: Int64
        var updated: Int64

        init(_ session: ChatSession, number: ListNumber? = nil) {
            self.number = number
            self.session = session.id
            title = session.title
            workspace = session.workspace
            (model, agent) = (session.choice.model, session.choice.agent)
            (state, turns) = (session.state, session.turns)
            (tokens, cost) = (session.tokens, session.cost)
            reverted = session.reverted == 0 ? nil : session.reverted
            asking = session.asking == 0 ? nil : session.asking
            (place, created, updated) = (session.place, session.created, session.updated)
        }
    }

    private struct NumberLine: Encodable {
        var type: String
        var number: ListNumber?
        var session: SessionID?
    }

    /// Every session, the one with the newest message first, one frame each; with `isNumbered` then the number behind which `changes` goes on.
    public func list(isNumbered: Bool, to send: Sink) async throws {
        let list = try await store.list()
        for session in list.sessions { try await send(Self.json(SessionLine(session))) }
        if isNumbered { try await send(Self.json(NumberLine(type: "listed", number: list.number))) }
    }

    /// What changes in the list behind a number, as it happens, until the task is cancelled. Whoever was told of another
    /// file, or too little, is told `anew`, and that is the end.
    public func changes(after: ListNumber, to send: Sink) async throws {
        var rings = store.bell.listen().makeAsyncIterator()
        var sent = after
        while true {
            guard let changes = try await store.listChanges(after: sent) else {
                return try await send(Self.json(NumberLine(type: "anew")))
            }
            for change in changes {
                try await send(Self.line(of: change))
                sent = change.number
            }
            if !changes.isEmpty { continue }
            guard await rings.next() != nil else {
                try Task.checkCancellation()
                throw Self.stopping
            }
        }
    }

    /// Both at once over one way, of which there are few to one machine: what happens in a session, until that is over,
    /// and meanwhile what changes in the list.
    func resume(
        _ session: SessionID, after: EventNumber, follow: Bool, list: ListNumber?, to send: @escaping Sink,
        line: Line
    ) async throws {
        guard let list else {
            return try await resume(session, after: after, follow: follow, to: send, line: line)
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await resume(session, after: after, follow: follow, to: send, line: line)
                return true
            }
            group.addTask {
                try await changes(after: list, to: send)
                return false
            }
            // The end of the one ends both; the other ends alone when the list is to be read anew.
            while let isOver = try await group.next(), !isOver {}
            group.cancelAll()
        }
    }

    private static func line(of change: ListChange) throws -> [UInt8] {
        switch change.what {
        case .session(let session): try json(SessionLine(session, number: change.number))
        case .gone(let session): try json(NumberLine(type: "gone", number: change.number, session: session))
        }
    }
}
