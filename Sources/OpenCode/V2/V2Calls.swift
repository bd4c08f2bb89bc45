import AgentModel

/// The calls of 2.x that are used (docs/agent.md lists them), each with what its failures mean.
struct V2Calls: OpenCodeLine {
    static let name = "2.x"
    static let messageOrder = MessageOrder.byArrival
    static let eventPath = "/api/event"

    let loop: CurlLoop
    let endpoint: AgentEndpoint
    /// As detected: 2.0 says its health elsewhere.
    let version: String
    var silence = Limits.streamSilenceV2

    var healthPath: String { version.hasPrefix("2.0") ? "/api/health" : "/api/info" }

    /// `{"id","created","type","data"}`
    func frame(_ data: [UInt8]) -> LineFrame? { V2Frame.read(data) }

    /// The path of a session's call; the id is opencode's own, but it is not trusted to be a path segment.
    static func path(_ session: String, _ rest: String) -> String {
        "/api/session/\(HTTPCall.encoded(session))\(rest)"
    }

    /// POST /api/session
    func createSession(title: String, directory: String) async throws(AgentFailure) -> AgentSessionID {
        struct Body: Encodable {
            var title: String
            var location: V2Location
        }
        let body = try Self.json(Body(title: title, location: V2Location(directory: directory)))
        let made = try await read(V2Answer<V2Session>.self, .post("/api/session", body: body))
        return AgentSessionID(rawValue: made.data.id)
    }

    /// GET /api/session/{id}
    func directory(of session: AgentSessionID) async throws(AgentFailure) -> String {
        try await read(V2Answer<V2Session>.self, .get(Self.path(session.rawValue, ""))).data.location.directory
    }

    /// GET /api/session?parentID=: the newest of them.
    func children(_ session: AgentSessionID, directory: String) async throws(AgentFailure) -> [String] {
        let query = [("parentID", session.rawValue), ("limit", String(Limits.pageMessages))]
        // A copy of a session is no subagent of it.
        return try await read(V2Answer<[V2Session]>.self, .get("/api/session", query)).data
            .filter { $0.fork == nil }.map(\.id)
    }

    /// POST /api/session/{id}/prompt, to be begun when what runs is over. Prompts of turns that ended before they were
    /// begun (opencode was killed meanwhile) are taken back first: the inbox outlives the process, and its next turn
    /// would do them too.
    func prompt(
        _ session: AgentSessionID, id: String, prompt: Prompt, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) -> Bool {
        struct Body: Encodable {
            var id: String
            var text: String
            var delivery = "queue"
            var metadata = V2Mark()
            var files: [File]?
        }
        struct File: Encodable {
            var uri: String
            var name: String
        }
        do {
            try await choose(choice, for: session)
            try await commitRevert(session)
            for left in try await waitingPrompts(session) { try await withdraw(left, of: session) }
        } catch {
            throw Self.beforeHandOver(error, "its session was not made ready for the message")
        }
        let body = try Self.json(
            Body(
                id: id, text: prompt.text,
                files: prompt.files.isEmpty ? nil : prompt.files.map { File(uri: $0.dataURL, name: $0.name) }))
        return try Self.wasTaken(await attempt(.post(Self.path(session.rawValue, "/prompt"), body: body)))
    }

    /// DELETE /api/session/{id}/inbox/{prompt}
    func withdraw(_ prompt: String, of session: AgentSessionID) async throws(AgentFailure) {
        let path = Self.path(session.rawValue, "/inbox/\(HTTPCall.encoded(prompt))")
        do { try await carryOut(.delete(path)) } catch {
            // It was begun, or taken back by somebody else.
            if error.code != .unknown { throw error }
        }
    }

    /// POST /api/session/{id}/interrupt. A prompt that waits would stay, and be begun later.
    func abort(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        for waiting in (try? await waitingPrompts(session)) ?? [] { try? await withdraw(waiting, of: session) }
        try await carryOut(.post(Self.path(session.rawValue, "/interrupt")))
    }

    /// GET /api/session/{id}/inbox: what was handed over here and is not begun.
    private func waitingPrompts(_ session: AgentSessionID) async throws(AgentFailure) -> [String] {
        try await read(V2Answer<[V2Waiting]>.self, .get(Self.path(session.rawValue, "/inbox"))).data
            .filter { $0.payload?.metadata?.nexus == true }.map(\.id)
    }

    /// A call of which only its success is of interest; most are answered with 204 and nothing.
    func carryOut(_ call: HTTPCall) async throws(AgentFailure) {
        let answer = try await outcome(of: call)
        if let failure = Self.failure(of: answer.head, body: answer.body) { throw failure }
    }
}

/// `{"data":…}`, with or without more beside it.
struct V2Answer<Value: Decodable & Sendable>: Decodable, Sendable {
    let data: Value
}

/// A session, as far as it matters here.
struct V2Session: Decodable, Sendable {
    let id: String
    let location: V2Location
    /// What was taken back and can be brought back.
    let revert: V2Nothing?
    /// What it is a copy of.
    let fork: V2Nothing?
}

/// Where a session works.
struct V2Location: Codable, Sendable {
    var directory: String
}

/// An item of an inbox.
struct V2Waiting: Decodable, Sendable {
    let id: String
    let payload: Payload?

    struct Payload: Decodable, Sendable {
        let metadata: V2Mark?
    }
}

/// Marks the prompts that come from here, so that those of other clients are left alone.
struct V2Mark: Codable, Sendable {
    var nexus: Bool? = true
}
