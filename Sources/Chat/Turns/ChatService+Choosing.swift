import AgentModel
import Wire

extension ChatService {
    private struct ModelLine: Encodable {
        var type = "model"
        var id: String
        var name: String
        var provider: String
        var context: Int
    }

    /// An agent or a command.
    private struct NamedLine: Encodable {
        var type: String
        var name: String
        var description: String
    }

    private struct ChosenLine: Encodable {
        var type = "chosen"
        var model: String?
        var agent: String?
    }

    /// What can be chosen and called in a workspace, one frame each.
    public func catalog(_ workspace: String?, to send: Sink) async throws {
        try workspaces.check(workspace)
        let entries: [CatalogEntry]
        do {
            entries = try await runner.agent.catalog(workspace: workspace)
        } catch let error as AgentError {
            throw ChatError(.failed, "the agent cannot be asked what there is to choose: \(error.message)")
        }
        for entry in entries {
            switch entry {
            case .model(let model):
                try await send(
                    Self.json(
                        ModelLine(id: model.id, name: model.name, provider: model.provider, context: model.context)))
            case .agent(let agent):
                try await send(Self.json(NamedLine(type: "agent", name: agent.name, description: agent.description)))
            case .command(let command):
                try await send(
                    Self.json(NamedLine(type: "command", name: command.name, description: command.description)))
            }
        }
    }

    /// Model and agent of a session from now on.
    public func choose(_ change: ChoiceChange, in session: SessionID) async throws -> [UInt8] {
        try await check(change, workspace: try await store.agentSession(of: session).workspace)
        let choice = try await store.choose(change, in: session)
        return try Self.json(ChosenLine(model: choice.model, agent: choice.agent))
    }

    /// Nil for one that names no workspace and begins a session.
    func workspace(of submission: Submission) async throws -> String? {
        guard !submission.choice.isNothing, let session = submission.session else { return submission.workspace }
        return try await store.agentSession(of: session).workspace
    }

    /// Refuses what the agent does not have. When it cannot be asked the name is taken: the turn will tell.
    func check(_ change: ChoiceChange, workspace: String?) async throws {
        try change.check()
        guard change.model.name != nil || change.agent.name != nil,
            let entries = try? await runner.agent.catalog(workspace: workspace)
        else { return }
        var models: [String] = []
        var agents: [String] = []
        for entry in entries {
            switch entry {
            case .model(let model): models.append(model.id)
            case .agent(let agent): agents.append(agent.name)
            case .command: break
            }
        }
        try Self.require(change.model.name, "model", among: models)
        try Self.require(change.agent.name, "agent", among: agents)
    }

    private static func require(_ name: String?, _ kind: String, among known: [String]) throws {
        guard let name, !known.contains(name) else { return }
        throw ChatError(
            .badRequest,
            "the agent has no \(kind) '\(name)'\(Nearest.hint(for: name, among: known)); see: nexusctl chat --models")
    }
}
