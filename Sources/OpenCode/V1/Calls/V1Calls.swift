import AgentModel
import FoundationEssentials

/// The calls of v1 that are used (docs/agent.md lists them), each with what its failures mean.
struct V1Calls: OpenCodeLine {
    static let name = "1.x"
    static let messageOrder = MessageOrder.byID
    let healthPath = "/global/health"
    /// It outlives the disposal of a directory's instance.
    static let eventPath = "/global/event"

    let loop: CurlLoop
    let endpoint: AgentEndpoint
    var silence = Limits.streamSilence

    /// `{"id","type","properties"}`
    func frame(_ data: [UInt8]) -> LineFrame? { V1Frame.read(data) }

    /// The path of a session's call; the id is opencode's own, but it is not trusted to be a path segment.
    static func path(_ session: AgentSessionID, _ rest: String) -> String {
        "/session/\(HTTPCall.encoded(session.rawValue))\(rest)"
    }

    /// POST /session
    func createSession(title: String, directory: String) async throws(AgentFailure) -> AgentSessionID {
        struct Body: Encodable {
            var title: String
        }
        let call = HTTPCall.post("/session", [("directory", directory)], body: try Self.json(Body(title: title)))
        return AgentSessionID(rawValue: try await read(V1Session.self, call).id)
    }

    /// GET /session/{id}
    func directory(of session: AgentSessionID) async throws(AgentFailure) -> String {
        struct Place: Decodable {
            var directory: String
        }
        return try await read(Place.self, .get(Self.path(session, ""))).directory
    }

    /// 1.x has no way to take one back alone: what waits is stopped with what runs.
    func withdraw(_ prompt: String, of session: AgentSessionID) async throws(AgentFailure) {}

    /// POST /session/{id}/abort
    func abort(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        _ = try await answer(.post(Self.path(session, "/abort"), [("directory", directory)]))
    }

    /// POST /session/{id}/prompt_async
    func prompt(
        _ session: AgentSessionID, id: String, prompt: Prompt, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) -> Bool {
        struct Body: Encodable {
            var messageID: String
            var model: ModelChoice?
            var agent: String?
            var parts: [Part]
        }
        struct Part: Encodable {
            var type = "text"
            var text: String?
            var mime: String?
            var filename: String?
            var url: String?
        }
        let files = prompt.files.map { Part(type: "file", mime: $0.mime, filename: $0.name, url: $0.dataURL) }
        let body = try Self.json(
            Body(
                messageID: id, model: try choice.model.map(ModelChoice.init), agent: choice.agent,
                parts: [Part(text: prompt.text)] + files))
        let call = HTTPCall.post(Self.path(session, "/prompt_async"), [("directory", directory)], body: body)
        return try Self.wasTaken(await attempt(call))
    }

    /// GET /session/{id}/children
    func children(_ session: AgentSessionID, directory: String) async throws(AgentFailure) -> [String] {
        try await read([V1Session].self, .get(Self.path(session, "/children"), [("directory", directory)])).map(\.id)
    }

    /// From /session/status, /permission, /question and the messages.
    func state(
        _ session: AgentSessionID, family: Set<String>, since: String, directory: String
    ) async throws(AgentFailure) -> TurnReread {
        let query = [("directory", directory)]
        let statuses = try await read([String: V1Status].self, .get("/session/status", query))
        let permissions = try await permissions(directory: directory)
        let questions = try await questions(directory: directory)
        let messages = try await messages(session, since: since, directory: directory)
        return TurnReread(
            facts: messages.flatMap(\.facts),
            isBusy: statuses.contains { family.contains($0.key) && $0.value.fact != .idle },
            permissions: permissions.filter { family.contains($0.session) }.map(\.ask),
            questions: questions.filter { family.contains($0.session) }.map(\.ask))
    }

    /// GET /session/{id}/todo and /diff?messageID=
    func lists(_ session: AgentSessionID, since prompt: String, directory: String) async -> [TurnFact] {
        let query = [("directory", directory)]
        let todos = try? await read([V1Todo].self, .get(Self.path(session, "/todo"), query))
        let changes = try? await read(
            [V1FileDiff].self, .get(Self.path(session, "/diff"), query + [("messageID", prompt)]))
        return [todos.map { .todos($0.map(\.todo)) }, changes.map { .changes($0.compactMap(\.change)) }]
            .compactMap { $0 }
    }

    /// GET /session/{id}/message, page by page from the newest back to `since`; oldest first.
    func messages(
        _ session: AgentSessionID, since: String, directory: String
    ) async throws(AgentFailure) -> [V1Message] {
        var found: [V1Message] = []
        var cursor: String?
        for _ in 0..<Limits.pages {
            var query = [("directory", directory), ("limit", String(Limits.pageMessages))]
            if let cursor { query.append(("before", cursor)) }
            let answer = try await answer(.get(Self.path(session, "/message"), query))
            let page = try Self.decode([V1Message].self, answer)
            found = page + found
            cursor = answer.head.fields["x-next-cursor"]
            guard cursor != nil, let oldest = page.first, oldest.info.id > since else { break }
        }
        return found.filter { $0.info.id >= since }
    }
}
