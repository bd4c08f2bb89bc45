// The JSON of what chat-bridge asks: one object, `op` first. Unknown fields are ignored, an unknown `op` is refused.
extension AgentRequest: Codable {
    private enum Key: String, CodingKey {
        case op, title, workspace, session, text
    }

    private enum Operation: String, Codable {
        case describe
        case openSession = "open-session"
        case runTurn = "run-turn"
        case abort
    }

    /// `{"op":"describe"}` · `{"op":"open-session","title":…,"workspace":…}` ·
    /// `{"op":"run-turn","session":…,"workspace":…,"text":…}` · `{"op":"abort","session":…}`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Operation.self, forKey: .op) {
        case .describe:
            self = .describe
        case .openSession:
            self = .openSession(
                title: try fields.decode(String.self, forKey: .title),
                workspace: try fields.decodeIfPresent(String.self, forKey: .workspace))
        case .runTurn:
            self = .runTurn(
                session: try fields.decode(AgentSessionID.self, forKey: .session),
                workspace: try fields.decodeIfPresent(String.self, forKey: .workspace),
                text: try fields.decode(String.self, forKey: .text))
        case .abort:
            self = .abort(session: try fields.decode(AgentSessionID.self, forKey: .session))
        }
    }

    /// As `init(from:)` reads it; a nil workspace is left out.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .describe:
            try fields.encode(Operation.describe, forKey: .op)
        case .openSession(let title, let workspace):
            try fields.encode(Operation.openSession, forKey: .op)
            try fields.encode(title, forKey: .title)
            try fields.encodeIfPresent(workspace, forKey: .workspace)
        case .runTurn(let session, let workspace, let text):
            try fields.encode(Operation.runTurn, forKey: .op)
            try fields.encode(session, forKey: .session)
            try fields.encodeIfPresent(workspace, forKey: .workspace)
            try fields.encode(text, forKey: .text)
        case .abort(let session):
            try fields.encode(Operation.abort, forKey: .op)
            try fields.encode(session, forKey: .session)
        }
    }
}

// The JSON of the answers: one object with exactly one field, named after the answer.
extension AgentReply: Codable {
    private enum Key: String, CodingKey {
        case description, session, aborted
    }

    /// `{"description":{…}}` · `{"session":"ses_…"}` · `{"aborted":true}`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if let description = try fields.decodeIfPresent(AgentDescription.self, forKey: .description) {
            self = .description(description)
        } else if let session = try fields.decodeIfPresent(AgentSessionID.self, forKey: .session) {
            self = .session(session)
        } else if try fields.decodeIfPresent(Bool.self, forKey: .aborted) == true {
            self = .aborted
        } else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "none of description, session, aborted"))
        }
    }

    /// As `init(from:)` reads it.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .description(let description): try fields.encode(description, forKey: .description)
        case .session(let session): try fields.encode(session, forKey: .session)
        case .aborted: try fields.encode(true, forKey: .aborted)
        }
    }
}
