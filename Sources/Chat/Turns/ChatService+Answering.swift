extension ChatService {
    /// Answers any request: a stream goes to `send` frame by frame; what has one answer only is returned.
    /// - Parameters:
    ///   - who: asks; nil: that is not known.
    ///   - line: how an event is written that is told as it happens, or by `open`.
    public func answer(
        _ request: ChatRequest, by who: Asker? = nil, to send: @escaping Sink, line: Line = .plain
    ) async throws -> [UInt8]? {
        switch request {
        case .send(let submission): try await take(submission, to: send, line: line)
        case .list(let isNumbered): try await list(isNumbered: isNumbered, to: send)
        case .history(let session): try await history(session, to: send)
        case .open(let session, let stretch): try await open(session, stretch, to: send, line: line)
        case .changes(let after): try await changes(after: after, to: send)
        case .resume(let session, let after, let follow, let list):
            try await resume(session, after: after, follow: follow, list: list, to: send, line: line)
        case .abort(let session, let turn):
            let count = try await abort(session, turn: turn)
            return Array("{\"type\":\"aborted\",\"turns\":\(count)}".utf8)
        case .search(let text, let limit): try await search(text, limit: limit, to: send)
        case .rename(let session, let title):
            try await rename(session, to: title)
            return Array(#"{"type":"renamed"}"#.utf8)
        case .delete(let session):
            try await delete(session)
            return Array(#"{"type":"deleted"}"#.utf8)
        case .fork(let session, let turn): return try await fork(session, before: turn)
        case .revert(let session, let turn): return try await revert(session, to: turn)
        case .unrevert(let session): return try await unrevert(session)
        case .upload(let bytes): return try await upload(bytes: bytes, by: who)
        case .piece(let data, let offset, let upload): return try await take(data, at: offset, of: upload)
        case .catalog(let workspace): try await catalog(workspace, to: send)
        case .choose(let session, let change): return try await choose(change, in: session)
        case .answer(let session, let id, let answer):
            try await pass(answer, to: id, in: session, by: who?.name)
            return Array(#"{"type":"taken"}"#.utf8)
        case .export(let session, let format): try await export(session, as: format, to: send)
        case .describe: return try await describe()
        }
        return nil
    }
}
