// The `properties` of the events that are used, and the same shapes where calls answer them.

/// session.created, session.updated
struct V1SessionChange: Decodable {
    let info: V1Session
}

/// A session, as far as it matters here.
struct V1Session: Decodable {
    let id: String
    let parentID: String?
}

/// message.updated
struct V1MessageChange: Decodable {
    let info: V1MessageInfo
}

/// message.part.updated
struct V1PartChange: Decodable {
    let part: V1Part
}

/// message.part.removed
struct V1PartRemoval: Decodable {
    let partID: String
}

/// message.part.delta; `field` is `text` for text and reasoning.
struct V1Delta: Decodable {
    let messageID: String
    let partID: String
    let field: String
    let delta: String

    var facts: [TurnFact] { field == "text" ? [.delta(block: partID, message: messageID, text: delta)] : [] }
}

/// session.status
struct V1StatusChange: Decodable {
    let status: V1Status
}

/// `{"type":"idle"}`, `{"type":"busy"}`, `{"type":"retry","attempt":…,"message":…,"next":…}`
struct V1Status: Decodable {
    let type: String
    let attempt: Int?
    let message: String?

    var fact: TurnFact {
        switch type {
        case "idle": .idle
        case "retry":
            .retrying(attempt: attempt ?? 0, words: "Trying again: \(message ?? "the model provider did not answer")")
        case _: .busy
        }
    }
}

/// session.error
struct V1SessionError: Decodable {
    let error: V1Problem?

    var problem: AgentProblem {
        error?.problem ?? AgentProblem(isAbort: false, words: "opencode reported an error without words; see its log.")
    }
}
