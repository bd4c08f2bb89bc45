public import AgentModel

/// One turn.
public struct ChatTurn: Hashable, Sendable {
    /// Id.
    public var id: TurnID
    /// Its session.
    public var session: SessionID
    /// State.
    public var state: TurnState
    /// What the user wrote.
    public var text: String
    /// What it is done with.
    public var choice = TurnChoice()
    /// Why it was interrupted or failed.
    public var reason: String?
    /// A number below those of all its events.
    public var before: EventNumber
    /// Milliseconds since 1970: when it was accepted.
    public var created: Int64
    /// The agent's id of the message; nil: it was never handed over, or by a version that did not keep it.
    public var prompt: String?
    /// The agent had it, and where in its memory is not known: it was copied, or handed over by an older version.
    public var isUnplaced = false
    /// The agent does not remember it any more, because the user wanted it so.
    public var isTakenBack = false
    /// The files that go with it.
    public var attachments: [Attachment] = []
}

extension ChatTurn {
    /// The event that tells of it.
    var accepted: ChatEvent.What { .accepted(text: text, attachments: attachments) }
}
