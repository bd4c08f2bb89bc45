import AgentModel

extension V2Calls {
    /// GET /api/model
    func models(directory: String) async throws(AgentFailure) -> [ModelEntry] {
        let found = try await read(V2Answer<[V2Model]>.self, .get("/api/model", Self.place(directory)))
        return found.data.compactMap(\.entry).sorted { ($0.provider, $0.name, $0.id) < ($1.provider, $1.name, $1.id) }
    }

    /// GET /api/agent
    func agents(directory: String) async throws(AgentFailure) -> [AgentEntry] {
        try await read(V2Answer<[V2Agent]>.self, .get("/api/agent", Self.place(directory))).data.compactMap(\.entry)
    }

    /// `compact` alone: the call of another command takes no id for its prompt, so that nothing ties what comes of it to a
    /// turn.
    func commands(directory: String) async throws(AgentFailure) -> [CommandEntry] { [.compact] }

    /// See `commands`.
    func perform(
        _ command: CommandCall, in session: AgentSessionID, id: String, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) {
        if command.name == CommandEntry.compact.name {
            return try await compact(session, id: id, choice: choice)
        }
        throw AgentFailure(.refused, "other commands of opencode \(Self.name) cannot be called from here")
    }

    /// POST /api/session/{id}/model and …/agent: here both are the session's. Nothing chosen leaves what it has.
    func choose(_ choice: TurnChoice, for session: AgentSessionID) async throws(AgentFailure) {
        struct ModelBody: Encodable {
            var model: Model

            struct Model: Encodable {
                var id: String
                var providerID: String
            }
        }
        struct AgentBody: Encodable {
            var agent: String
        }
        if let id = choice.model {
            let model = try ModelChoice(id)
            let body = try Self.json(ModelBody(model: .init(id: model.modelID, providerID: model.providerID)))
            try await carryOut(.post(Self.path(session.rawValue, "/model"), body: body))
        }
        if let agent = choice.agent {
            let body = try Self.json(AgentBody(agent: agent))
            try await carryOut(.post(Self.path(session.rawValue, "/agent"), body: body))
        }
    }
}

/// An element of GET /api/model.
struct V2Model: Decodable, Sendable {
    let id: String
    let providerID: String
    let name: String
    let status: String?
    let enabled: Bool?
    let limit: Limit?

    struct Limit: Decodable, Sendable {
        let context: Double?
    }

    /// Nil for what its maker has given up, or the user switched off.
    var entry: ModelEntry? {
        let id = "\(providerID)/\(self.id)"
        guard enabled != false, status != "deprecated", id.utf8.count <= TurnChoice.limit else { return nil }
        return ModelEntry(id: id, name: name, provider: providerID, context: Usage.tokens(limit?.context ?? 0))
    }
}

/// An element of GET /api/agent.
struct V2Agent: Decodable, Sendable {
    let id: String
    let description: String?
    let mode: String
    let hidden: Bool?

    /// Nil for one that only other agents call.
    var entry: AgentEntry? {
        guard mode != "subagent", hidden != true, id.utf8.count <= TurnChoice.limit else { return nil }
        return AgentEntry(name: id, description: description ?? "")
    }
}
