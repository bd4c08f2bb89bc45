import AgentModel

/// One turn, from the prompt that was handed over to its end: facts and time in, steps out. No clock, no I/O.
///
/// Two rules hold it together, whatever events are lost or late. Text: what was shown of a block is always a beginning
/// of the block; after a gap nothing is appended to it until the block comes whole. The end: a turn ends only by what
/// was read back from the server (`TurnReread`), never by an event alone.
struct TurnReducer {
    /// What is to be done.
    enum Step: Hashable, Sendable {
        /// Tell whoever asked for the turn.
        case emit(AgentEvent)
        /// Read the state and hand it in.
        case reread
        /// Ask the agent to stop this turn.
        case abort
        /// Say this to what nobody answered in time, and hand in whether the server took it.
        case answerOverdue(Answered)
    }

    /// The message id of the prompt.
    let prompt: String
    /// Which messages follow it.
    let order: MessageOrder
    /// What is said when nobody answers.
    let policy: AnswerPolicy
    var blocks: [String: Block] = [:]
    var messages: [String: MessageFact] = [:]
    /// When each of them was first told of, counted from the first.
    var arrivals: [String: Int] = [:]
    var tools: [String: ToolCall] = [:]
    var textBytes = 0
    /// One of the tables of ids has no more room, which was said.
    var isFull = false
    var asked: Set<String> = []
    var pending: [String: Pending] = [:]
    /// The last answer was a no, by that author, and the agent has written nothing since.
    var refusal: (kind: Pending.Kind, by: Answered.Author, isPlain: Bool)?
    /// As they were told last; opencode begins each turn with an empty list of changes.
    var todos: [Todo] = []
    var changes: [FileChange] = []
    /// What each message used, as it was told last.
    var used: [String: Usage] = [:]
    /// Events were lost, or are still to come, perhaps of one of these lists, which the messages do not hold.
    var mayLackLists = false
    var lastProblem: AgentProblem?
    var lastRetry: Int?
    var lastNotice: String?
    var end = EndWatch()
    var steps: [Step] = []
    private(set) var isOver = false

    /// What is known of a block.
    struct Block: Hashable {
        var kind: BlockFact.Kind
        /// What was shown of it.
        var shown: String
        var state: State

        enum State: Hashable {
            /// Deltas are appended.
            case open
            /// Deltas were missed: nothing is appended until it comes whole.
            case frozen
            case complete
        }
    }

    /// What the end depends on; times are since the turn began.
    struct EndWatch {
        /// Since when the server says that the session rests.
        var idleSince: Duration?
        /// Last time anything was heard of this turn.
        var lastHeard = Duration.zero
        /// Last time the state was asked for.
        var lastAsked = Duration.zero
        /// Since when something waits for the user.
        var pendingSince: Duration?
        /// The connection was lost during the turn, so the server may be another process than the one that began it.
        var wasLost = false
        /// Since when nothing can be read from the server.
        var unreadableSince: Duration?
        /// The turn was told to stop because nobody answers what it asks.
        var gaveUpWaiting = false
    }

    init(prompt: String, policy: AnswerPolicy = AnswerPolicy(), order: MessageOrder = .byID) {
        self.prompt = prompt
        self.order = order
        self.policy = policy
    }

    /// One fact from the event stream.
    mutating func handle(_ fact: TurnFact, at now: Duration) -> [Step] {
        guard !isOver else { return [] }
        end.lastHeard = now
        apply(fact, fromReread: false, at: now)
        return take()
    }

    /// What the calls said.
    mutating func handle(_ reread: TurnReread, at now: Duration) -> [Step] {
        guard !isOver else { return [] }
        end.lastHeard = now
        end.unreadableSince = nil
        mayLackLists = false
        for fact in reread.facts { apply(fact, fromReread: true, at: now) }
        putInOrder(reread.facts)
        for permission in reread.permissions { ask(permission, at: now) }
        for question in reread.questions { ask(question, at: now) }
        settle(reread)
        judge(reread, at: now)
        return take()
    }

    /// The calls failed; the turn waits for the server to come back, not for ever.
    mutating func rereadFailed(_ words: String, at now: Duration) -> [Step] {
        guard !isOver else { return [] }
        let since = end.unreadableSince ?? now
        end.unreadableSince = since
        if now - since >= Limits.lostTime {
            finish(
                .interrupted(
                    reason: "opencode stopped answering: \(words)".sentence + " What it had written so far is kept."))
        }
        return take()
    }

    /// Events were lost: the connection broke, or this side was too slow.
    mutating func missedEvents(at now: Duration, connectionLost: Bool) -> [Step] {
        guard !isOver else { return [] }
        if connectionLost { end.wasLost = true }
        mayLackLists = true
        for (id, block) in blocks where block.state == .open { blocks[id] = Block(block, .frozen) }
        wantReread(at: now)
        return take()
    }

    /// The agent is gone for certain: its process ended, or listens elsewhere now.
    mutating func gone(_ words: String) -> [Step] {
        guard !isOver else { return [] }
        finish(.interrupted(reason: words))
        return take()
    }

    /// The server says that there is nothing to wait for: the session is unknown, the password is refused. After a lost
    /// connection it is another process than the one that had the turn.
    mutating func denied(_ words: String) -> [Step] {
        guard !isOver else { return [] }
        finish(
            end.wasLost
                ? .interrupted(reason: words.sentence + " What was written so far is kept.") : .failed(reason: words))
        return take()
    }

    /// Time passes; called about every `Limits.tick`.
    mutating func tick(at now: Duration) -> [Step] {
        guard !isOver else { return [] }
        answerOverdue(at: now)
        if end.idleSince != nil || end.unreadableSince != nil {
            wantReread(at: now)
        } else if end.pendingSince != nil {
            if now - end.lastAsked >= Limits.pendingPause { wantReread(at: now) }
        } else if now - max(end.lastHeard, end.lastAsked) >= Limits.quietTime {
            wantReread(at: now)
        }
        return take()
    }

    /// True for what was written after the prompt, as far as that is known.
    func isOurs(_ message: String) -> Bool {
        switch order {
        case .byID: message > prompt
        case .byArrival: hasBegun && message != prompt
        }
    }

    /// True when the server has the prompt among its messages.
    var hasBegun: Bool { messages[prompt] != nil }

    /// As the server lists the messages; what it did not list yet came later.
    private mutating func putInOrder(_ facts: [TurnFact]) {
        let listed = facts.compactMap { if case .message(let message) = $0 { message.id } else { nil } }
        let known = Set(listed)
        let later = arrivals.filter { !known.contains($0.key) }.sorted { $0.value < $1.value }.map(\.key)
        for (place, id) in (listed + later).enumerated() where messages[id] != nil { arrivals[id] = place }
    }

    mutating func emit(_ event: AgentEvent) { steps.append(.emit(event)) }

    mutating func wantReread(at now: Duration) {
        end.lastAsked = now
        if !steps.contains(.reread) { steps.append(.reread) }
    }

    mutating func finish(_ outcome: TurnOutcome) {
        concludeSettled()
        isOver = true
        steps.removeAll { $0 == .reread }
        emit(.turnEnded(outcome))
    }

    mutating func take() -> [Step] {
        defer { steps = [] }
        return steps
    }
}

extension String {
    /// With a full stop, where it has no end of its own.
    var sentence: String { last.map { ".!?…".contains($0) } == true ? self : self + "." }
}

extension TurnReducer.Block {
    init(_ block: Self, _ state: State) {
        self = block
        self.state = state
    }
}
