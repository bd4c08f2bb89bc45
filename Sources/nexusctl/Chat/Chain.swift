import ControlClient

/// What an answer needs: chat-bridge, which keeps messages, behind it the worker of the agent, and the agent itself.
/// nexusd is asked, because only it knows whether one of them was stopped by command or given up.
struct Chain {
    /// Names in Supervisor.toml; a tree may lack some of them.
    static let bridge = "chat-bridge"
    /// What is behind chat-bridge.
    static let agent = ["agent-worker", "opencode"]
    // nexusd answers from memory; one that does not says nothing here.
    private static let limitMilliseconds: Int64 = 2000

    let place: Place

    /// `opencode is off: stopped by command; nexusctl start opencode`, of the first of these that is not coming back by
    /// itself soon; nil when there is none, and when nexusd does not say.
    func obstacle(among names: [String]) -> String? {
        // A connection of its own: frames of an answer under way stay where they are.
        guard let connection = try? place.connect() else { return nil }
        let id = connection.request("status")
        let limit = ControlConnection.now() + Self.limitMilliseconds
        guard let answer = try? connection.answerIfAny(to: id, until: limit),
            let json = try? ControlConnection.json(answer)
        else { return nil }
        let children = StatusReport(json).children
        let hindrance = names.lazy.compactMap { name in children.first { $0.name == name } }
            .first { ["off", "parked", "unkillable", "done"].contains($0.state) }
        return hindrance.map { "\($0.name) is \($0.state): \($0.words)" }
    }
}
