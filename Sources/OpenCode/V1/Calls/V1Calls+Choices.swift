import AgentModel

extension V1Calls {
    /// GET /config/providers
    func models(directory: String) async throws(AgentFailure) -> [ModelEntry] {
        try await providers(directory: directory).entries
    }

    /// GET /agent
    func agents(directory: String) async throws(AgentFailure) -> [AgentEntry] {
        try await read([V1Agent].self, .get("/agent", [("directory", directory)])).compactMap(\.entry)
    }

    /// GET /command; `compact` is a call of its own here, unless somebody has a command of that name.
    func commands(directory: String) async throws(AgentFailure) -> [CommandEntry] {
        let own = try await ownCommands(directory: directory)
        return own.contains { $0.name == CommandEntry.compact.name } ? own : own + [.compact]
    }

    /// POST /session/{id}/command, or …/summarize: both answer when the turn is over, which takes as long as it takes.
    func perform(
        _ command: CommandCall, in session: AgentSessionID, id: String, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) {
        struct Body: Encodable {
            var messageID: String
            var command: String
            var arguments: String
            var model: String?
            var agent: String?
        }
        let own = try await ownCommands(directory: directory)
        guard own.contains(where: { $0.name == command.name }) else {
            return try await summarize(session, choice: choice, directory: directory)
        }
        let body = try Self.json(
            Body(
                messageID: id, command: command.name, arguments: command.arguments, model: choice.model,
                agent: choice.agent))
        try await finish(.post(Self.path(session, "/command"), [("directory", directory)], body: body))
    }

    /// With the model that is chosen, or the session's, or the first provider's own choice.
    private func summarize(
        _ session: AgentSessionID, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) {
        struct Form: Decodable {
            var model: Model?

            struct Model: Decodable {
                var id: String
                var providerID: String
            }
        }
        var model = try choice.model.map { id throws(AgentFailure) in try ModelChoice(id) }
        if model == nil, let own = try await read(Form.self, .get(Self.path(session, ""))).model {
            model = ModelChoice(providerID: own.providerID, modelID: own.id)
        }
        if model == nil { model = try await providers(directory: directory).standard }
        guard let model else { throw AgentFailure(.failed, "opencode has no model that could summarize") }
        let body = try Self.json(model)
        try await finish(.post(Self.path(session, "/summarize"), [("directory", directory)], body: body))
    }

    private func finish(_ call: HTTPCall) async throws(AgentFailure) {
        var call = call
        call.limit = nil
        _ = try await answer(call)
    }

    private func ownCommands(directory: String) async throws(AgentFailure) -> [CommandEntry] {
        try await read([V1Command].self, .get("/command", [("directory", directory)])).compactMap(\.entry)
    }

    private func providers(directory: String) async throws(AgentFailure) -> V1Providers {
        try await read(V1Providers.self, .get("/config/providers", [("directory", directory)]))
    }
}
