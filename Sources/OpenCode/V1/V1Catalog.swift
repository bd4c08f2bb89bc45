import AgentModel

/// GET /config/providers: those with credentials, each with its models.
struct V1Providers: Decodable {
    let providers: [Provider]
    /// The model that opencode takes of a provider when nobody chooses.
    let `default`: [String: String]

    struct Provider: Decodable {
        let id: String
        let name: String?
        let models: [String: Model]
    }

    struct Model: Decodable {
        let id: String
        let name: String?
        let status: String?
        let limit: Limit?

        struct Limit: Decodable {
            let context: Double?
        }
    }

    /// By provider and name; what its maker has given up is left out.
    var entries: [ModelEntry] {
        providers.flatMap { provider in
            provider.models.values.filter { $0.status != "deprecated" }.map { model in
                ModelEntry(
                    id: "\(provider.id)/\(model.id)", name: model.name ?? model.id,
                    provider: provider.name ?? provider.id,
                    context: Usage.tokens(model.limit?.context ?? 0))
            }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
        }.filter { $0.id.utf8.count <= TurnChoice.limit }
    }

    /// What opencode takes when nothing is chosen, as far as this tells.
    var standard: ModelChoice? {
        providers.lazy.compactMap { provider in
            self.default[provider.id].map { ModelChoice(providerID: provider.id, modelID: $0) }
        }.first
    }
}

/// An element of GET /agent.
struct V1Agent: Decodable {
    let name: String
    let description: String?
    let mode: String
    let hidden: Bool?

    /// Nil for one that only other agents call.
    var entry: AgentEntry? {
        guard mode != "subagent", hidden != true, name.utf8.count <= TurnChoice.limit else { return nil }
        return AgentEntry(name: name, description: description ?? "")
    }
}

/// An element of GET /command.
struct V1Command: Decodable {
    let name: String
    let description: String?

    var entry: CommandEntry? {
        name.utf8.count <= TurnChoice.limit ? CommandEntry(name: name, description: description ?? "") : nil
    }
}
