import AgentModel
import Foundation

// The JSON clients read: one object, `type` says what it is; docs/chat.md lists them.
extension ChatEvent: Encodable {
    enum Key: String, CodingKey {
        case type, seq, session, turn, text, reason, block, whole, tool, todos, changes, usage, state, attachments
    }

    /// `{"type":"text","seq":7,"session":"…","turn":3,"block":"…","text":"…"}` and so on.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(what.type, forKey: .type)
        try fields.encodeIfPresent(number, forKey: .seq)
        try fields.encode(session, forKey: .session)
        try fields.encode(turn, forKey: .turn)
        try what.encode(into: &fields)
        switch what {
        case .permission(let ask): try ask.encode(to: encoder)
        case .question(let ask): try ask.encode(to: encoder)
        case .answered(let answered): try answered.encode(to: encoder)
        case .accepted, .waiting, .started, .text, .reasoning, .tool, .todos, .changes, .usage, .notice, .ended: break
        }
    }

    /// The object as one line.
    public var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only texts, numbers and lists of texts are in it: there is nothing that cannot be encoded.
        return (try? Array(encoder.encode(self))) ?? Array(#"{"type":"notice","text":"an event was lost"}"#.utf8)
    }
}

extension ChatEvent.What {
    /// The word of `type`.
    var type: String {
        switch self {
        case .accepted: "accepted"
        case .waiting: "waiting"
        case .started: "started"
        case .text: "text"
        case .reasoning: "reasoning"
        case .tool: "tool"
        case .permission: "permission"
        case .question: "question"
        case .answered: "answered"
        case .todos: "todos"
        case .changes: "changes"
        case .usage: "usage"
        case .notice: "notice"
        case .ended: "ended"
        }
    }

    fileprivate func encode(into fields: inout KeyedEncodingContainer<ChatEvent.Key>) throws {
        switch self {
        case .accepted(let text, let attachments):
            try fields.encode(text, forKey: .text)
            if !attachments.isEmpty { try fields.encode(attachments, forKey: .attachments) }
        case .notice(let text): try fields.encode(text, forKey: .text)
        case .waiting(let why): try fields.encode(why, forKey: .reason)
        case .started: break
        case .text(let block, let text, let replaces), .reasoning(let block, let text, let replaces):
            try fields.encode(block, forKey: .block)
            try fields.encode(text, forKey: .text)
            if replaces { try fields.encode(true, forKey: .whole) }
        case .tool(let call): try fields.encode(call, forKey: .tool)
        case .todos(let todos): try fields.encode(todos, forKey: .todos)
        case .changes(let changes): try fields.encode(changes, forKey: .changes)
        case .usage(let usage): try fields.encode(usage, forKey: .usage)
        // Members of their own, beside those of every event.
        case .permission, .question, .answered: break
        case .ended(let state, let reason):
            try fields.encode(state, forKey: .state)
            try fields.encodeIfPresent(reason, forKey: .reason)
        }
    }
}
