import Chat
import WorkerKit

/// What Supervisor.toml says about the chat, as nexusd puts it into the environment.
struct Settings {
    /// Of what a day may use; without its variable there is none.
    let ceiling: DailyCeiling
    /// Without their variable only messages that name none are taken: what is stored was checked.
    let workspaces: Workspaces
    /// Without its variable everything is kept.
    let retention: Retention
    let attachments: AttachmentLimits

    init(_ environment: [String: String]) throws {
        let environment = Environment(variables: environment)
        ceiling = try environment.value("NEXUS_AGENT", "{agent}", DailyCeiling.init) ?? DailyCeiling()
        workspaces =
            try environment.value("NEXUS_WORKSPACES", "{workspaces}", Workspaces.init) ?? Workspaces(names: nil)
        retention = try environment.value("NEXUS_CHAT_KEEP", "{chat-keep}", Retention.init) ?? Retention()
        attachments =
            try environment.value("NEXUS_CHAT_KEEP", "{chat-keep}", AttachmentLimits.init) ?? AttachmentLimits()
    }
}

/// Variables that hold the JSON which a text of Supervisor.toml becomes.
struct Environment {
    let variables: [String: String]

    /// Nil: there is no such variable. One that holds something else than its text becomes is refused with the remedy.
    func value<Value>(_ name: String, _ text: String, _ read: (_ json: String) -> Value?) throws -> Value? {
        guard let json = variables[name] else { return nil }
        guard let value = read(json) else {
            throw Worker.ConfigurationError(
                "\(name) is not what \(text) becomes: set it to that in [child.chat-bridge.environment], or leave it out"
            )
        }
        return value
    }
}
