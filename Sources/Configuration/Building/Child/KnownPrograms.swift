import Plan

/// What was found for a program, for one reading of Supervisor.toml: of a thousand children most name the same few.
final class KnownPrograms {
    /// What the answer depends on.
    struct Question: Hashable {
        let name: String
        let home: String
        let path: String
        let identity: Identity?
    }
    private var answers: [Question: Programs.Found] = [:]

    func once(_ question: Question, _ search: () -> Programs.Found) -> Programs.Found {
        if let known = answers[question] { return known }
        let found = search()
        answers[question] = found
        return found
    }
}
