// The JSON of what chat-bridge asks: one object, `op` first. Unknown fields are ignored, an unknown `op` is refused.
extension AgentRequest: Codable {
    private enum Key: String, CodingKey {
        case op, title, workspace, session, text, model, agent, id, reply, message, answers, before, to, files, prompt
    }

    private enum Operation: String, Codable {
        case describe, catalog
        case openSession = "open-session"
        case runTurn = "run-turn"
        case followTurn = "follow-turn"
        case abort
        case answerPermission = "answer-permission"
        case answerQuestion = "answer-question"
        case renameSession = "rename-session"
        case deleteSession = "delete-session"
        case forkSession = "fork-session"
        case revert, unrevert
    }

    /// `{"op":"describe"}` · `{"op":"catalog","workspace":…}` · `{"op":"open-session","title":…,"workspace":…}` ·
    /// `{"op":"run-turn","session":…,"workspace":…,"text":…,"model":…,"agent":…}` ·
    /// `{"op":"follow-turn","session":…,"prompt":…}` · `{"op":"abort","session":…}` ·
    /// `{"op":"answer-permission","session":…,"id":…,"reply":…,"message":…}` ·
    /// `{"op":"answer-question","session":…,"id":…,"answers":[[…]]}` · `{"op":"rename-session","session":…,"title":…}` ·
    /// `{"op":"delete-session","session":…}` · `{"op":"fork-session","session":…,"before":…}` ·
    /// `{"op":"revert","session":…,"to":…}` · `{"op":"unrevert","session":…}`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Operation.self, forKey: .op) {
        case .describe:
            self = .describe
        case .catalog:
            self = .catalog(workspace: try fields.decodeIfPresent(String.self, forKey: .workspace))
        case .openSession:
            self = .openSession(
                title: try fields.decode(String.self, forKey: .title),
                workspace: try fields.decodeIfPresent(String.self, forKey: .workspace))
        case .runTurn:
            self = .runTurn(
                session: try fields.decode(AgentSessionID.self, forKey: .session),
                workspace: try fields.decodeIfPresent(String.self, forKey: .workspace),
                text: try fields.decode(String.self, forKey: .text),
                choice: TurnChoice(
                    model: try fields.decodeIfPresent(String.self, forKey: .model),
                    agent: try fields.decodeIfPresent(String.self, forKey: .agent)),
                files: try fields.decodeIfPresent([AttachedFile].self, forKey: .files) ?? [])
        case .followTurn:
            self = .followTurn(
                session: try Self.session(fields), prompt: try fields.decode(String.self, forKey: .prompt))
        case .abort:
            self = .abort(session: try fields.decode(AgentSessionID.self, forKey: .session))
        case .answerPermission:
            self = .answerPermission(
                session: try fields.decode(AgentSessionID.self, forKey: .session),
                id: try fields.decode(String.self, forKey: .id),
                reply: try fields.decode(PermissionReply.self, forKey: .reply),
                message: try fields.decodeIfPresent(String.self, forKey: .message))
        case .answerQuestion:
            self = .answerQuestion(
                session: try fields.decode(AgentSessionID.self, forKey: .session),
                id: try fields.decode(String.self, forKey: .id),
                answers: try fields.decodeIfPresent([[String]].self, forKey: .answers))
        case .renameSession:
            self = .renameSession(try Self.session(fields), title: try fields.decode(String.self, forKey: .title))
        case .deleteSession: self = .deleteSession(try Self.session(fields))
        case .forkSession:
            self = .forkSession(
                try Self.session(fields), before: try fields.decodeIfPresent(String.self, forKey: .before))
        case .revert: self = .revert(try Self.session(fields), to: try fields.decode(String.self, forKey: .to))
        case .unrevert: self = .unrevert(try Self.session(fields))
        }
    }

    private static func session(_ fields: KeyedDecodingContainer<Key>) throws -> AgentSessionID {
        try fields.decode(AgentSessionID.self, forKey: .session)
    }

    /// As `init(from:)` reads it; a nil workspace is left out.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .describe:
            try fields.encode(Operation.describe, forKey: .op)
        case .catalog(let workspace):
            try fields.encode(Operation.catalog, forKey: .op)
            try fields.encodeIfPresent(workspace, forKey: .workspace)
        case .openSession(let title, let workspace):
            try fields.encode(Operation.openSession, forKey: .op)
            try fields.encode(title, forKey: .title)
            try fields.encodeIfPresent(workspace, forKey: .workspace)
        case .runTurn(let session, let workspace, let text, let choice, let files):
            try fields.encode(Operation.runTurn, forKey: .op)
            try fields.encode(session, forKey: .session)
            try fields.encodeIfPresent(workspace, forKey: .workspace)
            try fields.encode(text, forKey: .text)
            try fields.encodeIfPresent(choice.model, forKey: .model)
            try fields.encodeIfPresent(choice.agent, forKey: .agent)
            if !files.isEmpty { try fields.encode(files, forKey: .files) }
        case .followTurn(let session, let prompt):
            try Self.encode(.followTurn, session, to: &fields)
            try fields.encode(prompt, forKey: .prompt)
        case .abort(let session): try Self.encode(.abort, session, to: &fields)
        case .answerPermission(let session, let id, let reply, let message):
            try fields.encode(Operation.answerPermission, forKey: .op)
            try fields.encode(session, forKey: .session)
            try fields.encode(id, forKey: .id)
            try fields.encode(reply, forKey: .reply)
            try fields.encodeIfPresent(message, forKey: .message)
        case .answerQuestion(let session, let id, let answers):
            try fields.encode(Operation.answerQuestion, forKey: .op)
            try fields.encode(session, forKey: .session)
            try fields.encode(id, forKey: .id)
            try fields.encodeIfPresent(answers, forKey: .answers)
        case .renameSession(let session, let title):
            try Self.encode(.renameSession, session, to: &fields)
            try fields.encode(title, forKey: .title)
        case .deleteSession(let session): try Self.encode(.deleteSession, session, to: &fields)
        case .forkSession(let session, let before):
            try Self.encode(.forkSession, session, to: &fields)
            try fields.encodeIfPresent(before, forKey: .before)
        case .revert(let session, let message):
            try Self.encode(.revert, session, to: &fields)
            try fields.encode(message, forKey: .to)
        case .unrevert(let session): try Self.encode(.unrevert, session, to: &fields)
        }
    }

    private static func encode(
        _ operation: Operation, _ session: AgentSessionID, to fields: inout KeyedEncodingContainer<Key>
    ) throws {
        try fields.encode(operation, forKey: .op)
        try fields.encode(session, forKey: .session)
    }
}

// The JSON of the answers: one object with exactly one field, named after the answer.
extension AgentReply: Codable {
    private enum Key: String, CodingKey {
        case description, session, aborted, answered, changed
    }

    /// `{"description":{…}}` · `{"session":"ses_…"}` · `{"aborted":true}` · `{"answered":true}` ·
    /// `{"changed":true}`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if let description = try fields.decodeIfPresent(AgentDescription.self, forKey: .description) {
            self = .description(description)
        } else if let session = try fields.decodeIfPresent(AgentSessionID.self, forKey: .session) {
            self = .session(session)
        } else if try fields.decodeIfPresent(Bool.self, forKey: .aborted) == true {
            self = .aborted
        } else if try fields.decodeIfPresent(Bool.self, forKey: .answered) == true {
            self = .answered
        } else if try fields.decodeIfPresent(Bool.self, forKey: .changed) == true {
            self = .changed
        } else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "none of description, session, aborted, answered, changed"))
        }
    }

    /// As `init(from:)` reads it.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .description(let description): try fields.encode(description, forKey: .description)
        case .session(let session): try fields.encode(session, forKey: .session)
        case .aborted: try fields.encode(true, forKey: .aborted)
        case .answered: try fields.encode(true, forKey: .answered)
        case .changed: try fields.encode(true, forKey: .changed)
        }
    }
}
