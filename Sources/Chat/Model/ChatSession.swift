public import AgentModel

/// One session as a list shows it.
public struct ChatSession: Hashable, Sendable {
    /// Id.
    public var id: SessionID
    /// The beginning of its first message.
    public var title: String
    /// A name from `[agent] workspaces`; nil: the agent's first.
    public var workspace: String?
    /// What its next message is done with.
    public var choice: TurnChoice
    /// State of its last turn.
    public var state: TurnState
    /// Turns in it.
    public var turns: Int
    /// Tokens that its turns used.
    public var tokens: Int
    /// US dollars that they cost.
    public var cost: Double
    /// Turns that were taken back and can be brought back.
    public var reverted: Int
    /// Requests for leave and questions of its turn that runs, which nobody has answered.
    public var asking: Int
    /// By which lists are in order, whatever the clock says: the number of its last turn, or, where it has none, of the last
    /// that there was when it was made.
    public var place: Int64
    /// Milliseconds since 1970.
    public var created: Int64
    /// Milliseconds since 1970: its last turn began, moved on or ended.
    public var updated: Int64
}
