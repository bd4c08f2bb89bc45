import AgentModel

@testable import OpenCode

/// What a reader of the events sees: deltas appended, whole blocks put in place.
struct Screen {
    var text: [String: String] = [:]
    var reasoning: [String: String] = [:]
    var order: [String] = []
    var tools: [String: ToolCall] = [:]
    var used: [Usage] = []
    var notices: [String] = []
    var asked: [String] = []
    var answered: [Answered] = []
    var todos: [[Todo]] = []
    var changes: [[FileChange]] = []
    var prompt: String?
    var outcome: TurnOutcome?

    mutating func show(_ event: AgentEvent) {
        switch event {
        case .turnStarted(let prompt): self.prompt = prompt
        case .textDelta(let block, let more):
            if text[block] == nil { order.append(block) }
            text[block, default: ""] += more
        case .textBlock(let block, let whole):
            if text[block] == nil { order.append(block) }
            text[block] = whole
        case .reasoningDelta(let block, let more): reasoning[block, default: ""] += more
        case .tool(let call): tools[call.id] = call
        case .permissionAsked(let ask): asked.append(ask.id)
        case .questionAsked(let ask): asked.append(ask.id)
        case .answered(let answer): answered.append(answer)
        case .todos(let list): todos.append(list)
        case .changes(let list): changes.append(list)
        case .usage(let usage): used.append(usage)
        case .notice(let words): notices.append(words)
        case .turnEnded(let outcome): self.outcome = outcome
        }
    }

    /// All text in the order in which its blocks appeared.
    var wholeText: String { order.compactMap { text[$0] }.joined() }
}

/// A reducer with its screen and a clock that the test turns.
struct TurnUnderTest {
    var reducer = TurnReducer(prompt: "msg_1")
    var screen = Screen()
    var now = Duration.zero
    var rereads = 0
    var aborts = 0
    /// What was to be answered by default, by id.
    var defaults: [String: PermissionReply?] = [:]

    mutating func tell(_ facts: TurnFact...) { for fact in facts { take(reducer.handle(fact, at: now)) } }

    mutating func tick(after pause: Duration) {
        now += pause
        take(reducer.tick(at: now))
    }

    mutating func miss(connectionLost: Bool = true) {
        take(reducer.missedEvents(at: now, connectionLost: connectionLost))
    }

    mutating func reread(
        _ facts: [TurnFact] = [], busy: Bool = false, permissions: [PermissionAsk] = [],
        questions: [QuestionAsk] = []
    ) {
        take(
            reducer.handle(
                TurnReread(facts: facts, isBusy: busy, permissions: permissions, questions: questions), at: now))
    }

    mutating func take(_ steps: [TurnReducer.Step]) {
        for step in steps {
            switch step {
            case .emit(let event): screen.show(event)
            case .reread: rereads += 1
            case .abort: aborts += 1
            case .answerOverdue(let said): defaults[said.id] = .some(said.answer.reply)
            }
        }
    }

    static func assistant(_ id: String = "msg_2", _ end: MessageFact.End? = nil) -> TurnFact {
        .message(MessageFact(id: id, author: .assistant, end: end))
    }

    static let user = TurnFact.message(MessageFact(id: "msg_1", author: .user, end: nil))

    static func text(_ text: String, complete: Bool = false, block: String = "prt_1", in message: String = "msg_2")
        -> TurnFact
    {
        .block(BlockFact(id: block, message: message, kind: .text, text: text, isComplete: complete))
    }

    static func reasoning(_ text: String, complete: Bool = false) -> TurnFact {
        .block(BlockFact(id: "prt_r", message: "msg_2", kind: .reasoning, text: text, isComplete: complete))
    }

    static func delta(_ text: String, block: String = "prt_1") -> TurnFact {
        .delta(block: block, message: "msg_2", text: text)
    }
}
