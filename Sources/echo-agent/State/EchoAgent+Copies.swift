/// Sessions that are made of others, and what is taken back.
extension EchoAgent {
    /// A session of what was said before a message (nil: of everything), with ids of its own.
    func fork(_ id: String, before message: String?) throws(APIError) -> Session {
        let old = try conversation(id)
        let end = try message.map { message throws(APIError) in try place(of: message, in: old) } ?? old.messages.count
        var new = try create(NewSession(title: "\(old.session.title) (fork)"), directory: old.session.directory)
        new.agent = old.session.agent
        new.model = old.session.model
        new.metadata = .init(fork: .init(sessionID: id, before: message ?? ""))
        try update(new)
        var ids: [String: String] = [:]
        for message in old.messages[..<end] {
            var info = message.info
            info.id = Identifier.message()
            ids[message.info.id] = info.id
            info.sessionID = new.id
            info.parentID = info.parentID.map { ids[$0] ?? $0 }
            try put(info, directory: new.directory)
            for var part in message.parts {
                (part.id, part.sessionID, part.messageID) = (Identifier.part(), new.id, info.id)
                try put(part, directory: new.directory)
            }
        }
        return try conversation(new.id).session
    }

    /// Takes back a message and all behind it, until the next prompt, which removes them, or `unrevert`.
    func revert(_ id: String, to message: String) throws(APIError) -> Session {
        let conversation = try conversation(id)
        try requireRest(of: id)
        _ = try place(of: message, in: conversation)
        var session = conversation.session
        session.revert = .init(messageID: message)
        try update(session)
        return try self.conversation(id).session
    }

    /// Brings back what was taken back.
    func unrevert(_ id: String) throws(APIError) -> Session {
        var session = try conversation(id).session
        try requireRest(of: id)
        session.revert = nil
        try update(session)
        return try conversation(id).session
    }

    /// Removes what was taken back.
    func commitRevert(of id: String) throws(APIError) {
        let conversation = try conversation(id)
        guard let start = conversation.session.revert?.messageID else { return }
        let place = try place(of: start, in: conversation)
        for message in conversation.messages[place...] { try forget(message.info.id, in: id) }
        _ = try unrevert(id)
    }

    private func place(of message: String, in conversation: Conversation) throws(APIError) -> Int {
        guard let place = conversation.messages.firstIndex(where: { $0.info.id == message }) else {
            throw .noMessage(message, in: conversation.session.id)
        }
        return place
    }

    private func requireRest(of id: String) throws(APIError) {
        guard prompts(in: id).isEmpty else { throw .isBusy(id) }
    }
}
