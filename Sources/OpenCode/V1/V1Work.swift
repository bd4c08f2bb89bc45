import AgentModel

/// todo.updated
struct V1Todos: Decodable {
    let todos: [V1Todo]
}

/// Something to do.
struct V1Todo: Decodable {
    private let content: String
    private let status: String
    private let priority: String?

    var todo: Todo { Todo(content: content, status: .init(rawValue: status) ?? .pending, priority: priority ?? "") }
}

/// session.diff
struct V1Diffs: Decodable {
    let diff: [V1FileDiff]
}

/// What was changed in a file; 1.1 had the whole file before and after instead of a patch.
struct V1FileDiff: Decodable {
    private let file: String?
    private let patch: String?
    private let additions: Double
    private let deletions: Double
    private let status: String?

    var change: FileChange? {
        file.map {
            FileChange(
                path: $0, status: status.flatMap(FileChange.Status.init) ?? .modified,
                additions: FileChange.lines(additions), deletions: FileChange.lines(deletions), patch: patch ?? "")
        }
    }
}
