/// Something on the agent's list of things to do.
public struct Todo: Hashable, Sendable, Codable {
    /// What.
    public var content: String
    /// Where it stands.
    public var status: Status
    /// `high`, `medium` or `low`, as the agent has it.
    public var priority: String

    /// All fields.
    public init(content: String, status: Status, priority: String) {
        self.content = content
        self.status = status
        self.priority = priority
    }

    /// In the agent's words.
    public enum Status: String, Hashable, Sendable, Codable {
        case pending
        case inProgress = "in_progress"
        case completed, cancelled
    }
}

/// A file that the agent changed.
public struct FileChange: Hashable, Sendable, Codable {
    /// As the agent names it.
    public var path: String
    /// What happened to it.
    public var status: Status
    /// Lines.
    public var additions: Int
    /// Lines.
    public var deletions: Int
    /// A unified diff, cut where all of them would not fit a frame.
    public var patch: String

    /// All fields.
    public init(path: String, status: Status, additions: Int, deletions: Int, patch: String) {
        self.path = path
        self.status = status
        self.additions = additions
        self.deletions = deletions
        self.patch = patch
    }

    /// In the agent's words.
    public enum Status: String, Hashable, Sendable, Codable {
        case added, modified, deleted
    }

    /// A number of lines, as somebody else says it, brought between 0 and 1,000,000,000.
    public static func lines(_ said: Double) -> Int { said > 0 ? Int(min(said, 1_000_000_000).rounded()) : 0 }
}

extension AgentEvent {
    /// Things to do that are shown; more are named by a last entry.
    public static let todoLimit = 40
    /// Files of one event, likewise.
    public static let changeLimit = 20

    static func fitting(_ todos: [Todo]) -> [Todo] {
        let shown = todos.prefix(todoLimit).map {
            Todo(content: $0.content.cut(to: 180), status: $0.status, priority: $0.priority.cut(to: 10))
        }
        guard todos.count > todoLimit else { return shown }
        return shown + [Todo(content: "… and \(todos.count - todoLimit) more", status: .pending, priority: "low")]
    }

    static func fitting(_ changes: [FileChange]) -> [FileChange] {
        var room = 5000
        let shown = changes.prefix(changeLimit).map { change in
            var change = change
            change.path = change.path.cut(to: 160)
            change.patch = room > 0 ? change.patch.cut(to: room) : "…"
            room -= change.patch.utf8.count
            return change
        }
        guard changes.count > changeLimit else { return shown }
        let rest = changes.dropFirst(changeLimit)
        return shown + [
            FileChange(
                path: "… and \(rest.count) more", status: .modified,
                additions: rest.reduce(0) { $0 + $1.additions }, deletions: rest.reduce(0) { $0 + $1.deletions },
                patch: "")
        ]
    }
}
