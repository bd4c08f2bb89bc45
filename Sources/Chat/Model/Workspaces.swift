import Foundation
import Wire

/// The names of `[agent] workspaces`, as Supervisor.toml gave them to this process.
public struct Workspaces: Hashable, Sendable {
    /// In the order of the file, the first is the default; nil when nobody said which there are.
    public let names: [String]?

    /// These.
    public init(names: [String]?) { self.names = names }

    /// What `{workspaces}` becomes, a JSON array of objects with `name`; nil for anything else.
    public init?(json: String) {
        struct Entry: Decodable { var name: String }
        guard let list = try? JSONDecoder().decode([Entry].self, from: Data(json.utf8)), !list.isEmpty else {
            return nil
        }
        names = list.map(\.name)
    }

    /// Refuses what is none of them, before anything is stored. Nil is the agent's first and always right.
    /// - Parameter session: the session that belongs to it already.
    func check(_ name: String?, of session: SessionID? = nil) throws(ChatError) {
        guard let name else { return }
        guard let names else {
            throw ChatError(
                .badRequest,
                "chat-bridge was not told the workspaces: set environment = { NEXUS_WORKSPACES = \"{workspaces}\" } in "
                    + "[child.chat-bridge]; without a workspace the message goes to the first")
        }
        if names.contains(name) { return }
        let known = "there \(names.count == 1 ? "is" : "are"): \(names.joined(separator: ", "))"
        guard let session else {
            let hint = Nearest.hint(for: name, among: names)
            throw ChatError(.badRequest, "there is no workspace '\(name)' in Supervisor.toml; \(known)\(hint)")
        }
        throw ChatError(
            .badRequest,
            "session \(session) belongs to the workspace '\(name)', which is not in Supervisor.toml (\(known)); it can be "
                + "read, and a new session begun")
    }
}
