import AgentModel

/// What the event stream, or a re-read of the state, tells about a turn: the words that both lines of opencode share.
/// Each line's adapter makes these of its own events; the reducer knows nothing else.
enum TurnFact: Hashable, Sendable {
    /// A message was inserted or replaced.
    case message(MessageFact)
    /// A text or reasoning block was inserted or replaced, whole.
    case block(BlockFact)
    /// Text to append to a block.
    case delta(block: String, message: String, text: String)
    /// A tool call's state, whole.
    case tool(ToolCall, message: String)
    /// Something new about a tool call whose beginning was told before.
    case toolChanged(ToolChange, message: String)
    /// A block is gone (a step is done once more).
    case blockRemoved(block: String)
    /// A prompt that was not begun was taken back.
    case withdrawn(prompt: String)
    /// The session is at work.
    case busy
    /// It waits before it tries once more.
    case retrying(attempt: Int, words: String)
    /// It says that it rests. It may say so between two steps, so this is only a reason to look.
    case idle
    /// Something failed; whether the turn goes on shows in its messages.
    case problem(AgentProblem)
    /// It waits for leave.
    case permission(PermissionAsk)
    /// It waits for an answer.
    case question(QuestionAsk)
    /// A no that we are about to say to one of them tells the agent what to do instead: it goes on behind that.
    case explaining(id: String)
    /// We are about to say this to one of them, for that author. Not from the server: its word follows.
    case answering(Answered)
    /// The server did not take it.
    case notAnswered(Answered)
    /// The server took it. Not by an event: it is the reply to the call that said it.
    case taken(Answered)
    /// Leave or answer was given, perhaps by another client.
    case answered(id: String, Answered.Answer)
    /// The list of things to do, whole.
    case todos([Todo])
    /// The files changed so far, whole.
    case changes([FileChange])
    /// What a message used so far, of this session or of one that it started.
    case usage(Usage, message: String)
    /// Something to read ("the conversation was compacted").
    case notice(String)
}

/// What an event adds to a tool call; nil: as it was.
struct ToolChange: Hashable, Sendable {
    /// As `ToolCall.id`.
    var id: String
    var status: ToolCall.Status?
    /// What it was called with.
    var input: ToolInput?
    var output: String?

    func title(of tool: String) -> String? { input?.title(of: tool) }
}

/// How messages tell which of them follow a prompt.
enum MessageOrder: Hashable, Sendable {
    /// Their ids sort by age.
    case byID
    /// They come in order, by event and in lists; what comes behind the prompt follows it.
    case byArrival
}

/// A message: who wrote it, and if it is over.
struct MessageFact: Hashable, Sendable {
    var id: String
    var author: Author
    /// Nil while it is being written, and for ever if its writer was killed meanwhile.
    var end: End?

    enum Author: Hashable, Sendable {
        case user, assistant
    }

    /// How an assistant's message ended.
    enum End: Hashable, Sendable {
        /// The answer is complete.
        case finished
        /// Complete, but the model's output limit cut it.
        case cut
        /// Tools are run; a further message follows.
        case toolCalls
        case failed(AgentProblem)
    }
}

/// A text or reasoning block, whole.
struct BlockFact: Hashable, Sendable {
    var id: String
    var message: String
    var kind: Kind
    var text: String
    /// No text will be added.
    var isComplete: Bool

    enum Kind: Hashable, Sendable {
        case text, reasoning
        /// Not for people: made by opencode itself for the model.
        case hidden
    }
}

/// A failure in words.
struct AgentProblem: Hashable, Sendable {
    /// True when the turn was stopped on demand.
    var isAbort: Bool
    var words: String

    /// By whoever talks to the agent.
    static let stopped = AgentProblem(isAbort: true, words: "The turn was stopped.")
}

/// The state of a session as it was read by calls, not told by events.
struct TurnReread: Hashable, Sendable {
    /// Messages and blocks from the prompt on, oldest first.
    var facts: [TurnFact]
    /// True when the session, or one that it started, is at work.
    var isBusy: Bool
    var permissions: [PermissionAsk]
    var questions: [QuestionAsk]
}
