import AgentModel
import FoundationEssentials

extension V2Calls {
    /// From /api/session/active, the permissions, the forms and the messages.
    func state(
        _ session: AgentSessionID, family: Set<String>, since: String, directory: String
    ) async throws(AgentFailure) -> TurnReread {
        let active = try await read(V2Answer<[String: V2Nothing]>.self, .get("/api/session/active")).data
        let permissions = try await permissions(directory: directory)
        let questions = try await questions(directory: directory)
        let messages = try await messages(session, since: since)
        var facts = messages.flatMap(\.facts)
        if messages.contains(where: \.changedFiles) { facts.append(.changes(try await changes(session, since: since))) }
        return TurnReread(
            facts: facts, isBusy: !family.isDisjoint(with: active.keys),
            permissions: permissions.filter { family.contains($0.session) }.map(\.ask),
            questions: questions.filter { family.contains($0.session) }.map(\.ask))
    }

    /// 2.x has no list of things to do, and what was changed is read with every state: no event tells it.
    func lists(_ session: AgentSessionID, since prompt: String, directory: String) async -> [TurnFact] { [] }

    /// GET /api/session/{id}/message, page by page from the newest back to `since`; oldest first. Nothing as long as the
    /// prompt waits in the inbox.
    private func messages(_ session: AgentSessionID, since: String) async throws(AgentFailure) -> [V2Message] {
        guard try await has(since, session) else { return [] }
        var found: [V2Message] = []
        var cursor: String?
        for _ in 0..<Limits.pages {
            var query = [("limit", String(Limits.pageMessages)), ("order", "desc")]
            if let cursor { query.append(("cursor", cursor)) }
            let page = try await read(V2Page<V2Message>.self, .get(Self.path(session.rawValue, "/message"), query))
            found += page.data
            cursor = page.cursor.next
            if cursor == nil || page.data.contains(where: { $0.id == since }) { break }
        }
        guard let prompt = found.firstIndex(where: { $0.id == since }) else { return [] }
        return found[...prompt].reversed()
    }

    /// GET /api/session/{id}/message/{prompt}: whether it was begun.
    private func has(_ prompt: String, _ session: AgentSessionID) async throws(AgentFailure) -> Bool {
        let path = Self.path(session.rawValue, "/message/\(HTTPCall.encoded(prompt))")
        let answer = try await outcome(of: .get(path))
        let error = try? JSONDecoder().decode(V2ErrorTag.self, from: Data(answer.body))
        if answer.head.status == 404, error?.tag == "MessageNotFoundError" { return false }
        if let failure = Self.failure(of: answer.head, body: answer.body) { throw failure }
        return true
    }

    /// GET /api/session/{id}/diff: what the turn of that prompt changed.
    private func changes(_ session: AgentSessionID, since: String) async throws(AgentFailure) -> [FileChange] {
        let call = HTTPCall.get(Self.path(session.rawValue, "/diff"), [("from", since)])
        return try await read(V2Answer<[V2FileDiff]>.self, call).data.map(\.change)
    }
}

/// A page of a list.
struct V2Page<Item: Decodable & Sendable>: Decodable, Sendable {
    let data: [Item]
    let cursor: Cursor

    struct Cursor: Decodable, Sendable {
        let next: String?
    }
}

/// A value of no interest.
struct V2Nothing: Decodable, Sendable {
    init(from decoder: any Decoder) throws {}
}

/// `{"_tag":"SessionNotFoundError",…}`
struct V2ErrorTag: Decodable {
    let tag: String?

    private enum CodingKeys: String, CodingKey {
        case tag = "_tag"
    }
}

/// What was changed in a file.
struct V2FileDiff: Decodable, Sendable {
    private let file: String
    private let patch: String
    private let additions: Double
    private let deletions: Double
    private let status: String

    var change: FileChange {
        FileChange(
            path: file, status: FileChange.Status(rawValue: status) ?? .modified,
            additions: FileChange.lines(additions),
            deletions: FileChange.lines(deletions), patch: patch)
    }
}
