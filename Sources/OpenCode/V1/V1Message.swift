import AgentModel

/// A message as v1 has it; `role` decides.
struct V1MessageInfo: Decodable {
    let id: String
    let role: String
    let finish: String?
    let error: V1Problem?
    private let cost: Double?
    private let tokens: OpenCodeTokens?
    private let providerID: String?
    private let modelID: String?

    /// The message, and what it used.
    var facts: [TurnFact] { [.message(fact)] + (usage.map { [.usage($0, message: id)] } ?? []) }

    private var usage: Usage? {
        guard role == "assistant", let tokens else { return nil }
        let model = providerID.flatMap { provider in modelID.map { "\(provider)/\($0)" } }
        return tokens.usage(cost: cost ?? 0, model: model)
    }

    /// For the reducer.
    var fact: MessageFact { MessageFact(id: id, author: role == "assistant" ? .assistant : .user, end: end) }

    private var end: MessageFact.End? {
        if let error { return .failed(error.problem) }
        return switch finish {
        case nil: nil
        case "tool-calls": .toolCalls
        case "length": .cut
        case "content-filter":
            .failed(.init(isAbort: false, words: "The model provider's content filter stopped the answer."))
        // "stop", "error" and "unknown" without an error, and whatever comes: opencode goes on with nothing.
        case _: .finished
        }
    }
}

/// A message with its parts, as lists have it.
struct V1Message: Decodable {
    let info: V1MessageInfo
    let parts: [V1Part]

    /// The message first, then what it holds.
    var facts: [TurnFact] { info.facts + parts.flatMap(\.facts) }

    /// It asks for a summary of what was before it.
    var isCompaction: Bool { parts.contains { $0.facts == [.notice(TurnFact.compacted)] } }
}

/// An error of a message or session: `{"name":…,"data":{"message":…}}`.
struct V1Problem: Decodable {
    let name: String
    let data: Detail?

    struct Detail: Decodable {
        let message: String?
        let statusCode: Int?
        let providerID: String?
    }

    /// In words that say what to do.
    var problem: AgentProblem { AgentProblem(isAbort: name == "MessageAbortedError", words: words.cut(to: 2000)) }

    private var words: String {
        let detail = data?.message ?? name
        return switch name {
        case "MessageAbortedError": "The turn was stopped."
        case "ProviderAuthError":
            "opencode may not use its model provider\(data?.providerID.map { " (\($0))" } ?? ""): \(detail). "
                + AgentFailure.logIn + "."
        case "APIError" where data?.statusCode == 401 || data?.statusCode == 403:
            "The model provider does not take opencode's key (status \(data?.statusCode ?? 401)): \(detail). "
                + AgentFailure.logIn + "."
        case "APIError":
            "The model provider answered with an error\(data?.statusCode.map { " (status \($0))" } ?? ""): \(detail)"
        case "ContextOverflowError":
            "The conversation is too long for the model: \(detail). Start a new session."
        case "MessageOutputLengthError": "The answer was cut at the model's output limit: \(detail)"
        case "ContentFilterError": "The model provider's content filter stopped the answer: \(detail)"
        case _: "opencode reported: \(detail)"
        }
    }
}
