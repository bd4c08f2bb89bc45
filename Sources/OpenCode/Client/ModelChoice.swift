import AgentModel

/// A model as both lines take it apart.
struct ModelChoice: Codable {
    let providerID: String
    let modelID: String

    init(providerID: String, modelID: String) {
        self.providerID = providerID
        self.modelID = modelID
    }

    /// From `PROVIDER/MODEL`.
    init(_ id: String) throws(AgentFailure) {
        let parts = id.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw AgentFailure(.badRequest, "a model is named PROVIDER/MODEL, not '\(id)'")
        }
        self.init(providerID: String(parts[0]), modelID: String(parts[1]))
    }
}
