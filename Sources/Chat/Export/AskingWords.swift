import AgentModel

extension Answered {
    /// What came of it, for people: "Allowed once by Phone".
    var words: String {
        let said =
            switch answer {
            case .once: "Allowed once"
            case .always: "Always allowed"
            case .reject: "Not allowed"
            case .answered: "Answered" + (chosen.map { ": " + Self.list($0) } ?? "")
            case .dismissed: "Put aside"
            case .unknown: "Not waited for any more"
            }
        switch by {
        case .user: return said + (who.map { " by \($0)" } ?? "")
        case .default: return said + ", because nobody answered in time"
        case .elsewhere: return answer == .unknown ? said : said + ", elsewhere"
        }
    }

    private static func list(_ chosen: [[String?]]) -> String {
        chosen.map { one in one.map { $0 ?? "own words" }.joined(separator: ", ") }.joined(separator: "; ")
    }
}

extension ChatEvent.Asking {
    /// What it is about in one line, and all of it.
    var words: (head: String, body: String) {
        switch self {
        case .permission(let ask):
            let details = ask.details.flatMap { ask.resources.contains($0) ? nil : $0 }
            return ("Leave for \(ask.action)", (ask.resources + [details].compactMap(\.self)).joined(separator: "\n"))
        case .question(let ask):
            let questions = ask.questions.map { one in
                ([one.question] + one.options.map { "- \($0.label)" }).joined(separator: "\n")
            }
            return ("Question", questions.joined(separator: "\n"))
        }
    }
}
