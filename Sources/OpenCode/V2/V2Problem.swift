/// An error of 2.x: `{"type":"provider.auth","message":…,"status":401}`.
struct V2Problem: Decodable {
    let type: String
    let message: String
    let status: Int?

    /// In words that say what to do.
    var problem: AgentProblem {
        type == "aborted" ? .stopped : AgentProblem(isAbort: false, words: words.cut(to: 2000))
    }

    private var words: String {
        let logIn = AgentFailure.logIn + "."
        return switch (type, status) {
        case ("provider.auth", _), (_, 401), (_, 403):
            "opencode may not use its model provider: \(message). \(logIn)"
        case ("provider.no-route", _):
            "opencode has no model to ask: \(message). \(logIn) Then choose a model."
        case ("provider.content-filter", _):
            "The model provider's content filter stopped the answer: \(message)"
        case (let type, let status) where type.lowercased().hasPrefix("provider"):
            "The model provider answered with an error\(status.map { " (status \($0))" } ?? ""): \(message)"
        case (_, let status?): "opencode reported (status \(status)): \(message)"
        case (_, nil): "opencode reported: \(message)"
        }
    }
}
