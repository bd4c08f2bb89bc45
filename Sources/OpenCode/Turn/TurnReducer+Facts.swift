import AgentModel

extension TurnReducer {
    mutating func apply(_ fact: TurnFact, fromReread: Bool, at now: Duration) {
        switch fact {
        case .message(let message): apply(message)
        case .block(let block): apply(block, fromReread: fromReread, at: now)
        case .delta(let block, let message, let text): append(text, to: block, of: message, at: now)
        case .tool(let call, let message): apply(call, of: message)
        case .toolChanged(let change, let message): apply(change, of: message, at: now)
        case .blockRemoved(let block): remove(block)
        case .withdrawn(let id):
            if id == prompt, !hasBegun { apply(.problem(.stopped), fromReread: fromReread, at: now) }
        case .busy: end.idleSince = nil
        case .retrying(let attempt, let words):
            end.idleSince = nil
            if lastRetry != attempt { emit(.notice(words)) }
            lastRetry = attempt
        case .idle:
            // What it changed opencode says behind this, and nobody listens any more once the turn is over.
            mayLackLists = true
            wantReread(at: now)
        case .problem(let problem):
            lastProblem = problem
            wantReread(at: now)
        case .permission(let permission): ask(permission, at: now)
        case .question(let question): ask(question, at: now)
        case .explaining(let id): pending[id]?.isExplained = true
        case .answering(let answered): answering(answered)
        case .notAnswered(let answered): notAnswered(answered, at: now)
        case .taken(let answered): conclude(answered)
        case .answered(let id, let answer): self.answered(id, answer)
        case .todos(let todos):
            // To read of none takes nothing away that an event told of.
            if fromReread, todos.isEmpty { return }
            if todos != self.todos { emit(.todos(todos)) }
            self.todos = todos
        case .changes(let changes):
            if fromReread, changes.isEmpty { return }
            if changes != self.changes { emit(.changes(changes)) }
            self.changes = changes
        case .usage(let usage, let message): apply(usage, of: message)
        case .notice(let words):
            // opencode tells the same twice: as a part of a message, and as an event of the session.
            if words != lastNotice { emit(.notice(words)) }
            lastNotice = words
        }
    }

    /// The sum is told whenever it changes. What a message is said to have used before it is over may be nothing.
    private mutating func apply(_ usage: Usage, of message: String) {
        guard isOurs(message), used[message] != usage, used[message] != nil || hasRoom(used.count) else { return }
        let isNew = used[message] != nil || usage.tokens > 0 || usage.cost > 0
        used[message] = usage
        guard isNew else { return }
        emit(.usage(used.sorted { $0.key < $1.key }.reduce(Usage()) { $0 + $1.value }))
    }

    private mutating func apply(_ message: MessageFact) {
        guard message.id == prompt || isOurs(message.id),
            messages[message.id] != nil || hasRoom(messages.count)
        else { return }
        // An event that was overtaken by a re-read must not make a finished message unfinished.
        if message.end == nil, messages[message.id]?.end != nil { return }
        // It goes on behind a no.
        if messages[message.id] == nil, message.author == .assistant { refusal = nil }
        messages[message.id] = message
        arrivals[message.id] = arrivals[message.id] ?? arrivals.count
    }

    private mutating func apply(_ call: ToolCall, of message: String) {
        guard isAnswer(message), tools[call.id] != call else { return }
        // The same overtaking: a tool that is done does not run again.
        if let known = tools[call.id], known.status.isOver, !call.status.isOver { return }
        guard tools[call.id] != nil || hasRoom(tools.count) else { return }
        tools[call.id] = call
        emit(.tool(call))
    }

    /// What an event says of a call only has a place where its beginning is known.
    private mutating func apply(_ change: ToolChange, of message: String, at now: Duration) {
        guard isOurs(message) else { return }
        guard let known = tools[change.id] else { return wantReread(at: now) }
        apply(known.changed(by: change), of: message)
    }

    /// True for an assistant's message of this turn. One that is not known yet is none: its `message` fact always comes
    /// before its parts, and where that was lost a re-read brings both.
    private func isAnswer(_ message: String) -> Bool { isOurs(message) && messages[message]?.author == .assistant }

    private mutating func apply(_ fact: BlockFact, fromReread: Bool, at now: Duration) {
        guard isOurs(fact.message), fact.kind != .hidden else { return }
        guard isAnswer(fact.message) else {
            if messages[fact.message] == nil, !fromReread { wantReread(at: now) }
            return
        }
        let known = blocks[fact.id]
        guard var block = known ?? newBlock(fact, fromReread: fromReread) else { return }
        if fact.isComplete {
            complete(&block, fact)
        } else if block.state != .complete {
            grow(&block, fact, fromReread: fromReread)
        }
        blocks[fact.id] = block
    }

    /// A block that is first seen in a re-read may have had deltas that are lost, and others that still wait to be
    /// handled: nothing is appended to it.
    private mutating func newBlock(_ fact: BlockFact, fromReread: Bool) -> Block? {
        guard hasRoom(blocks.count) else { return nil }
        return Block(kind: fact.kind, shown: "", state: fromReread ? .frozen : .open)
    }

    private mutating func complete(_ block: inout Block, _ fact: BlockFact) {
        guard block.state != .complete || block.shown != fact.text else { return }
        block.state = .complete
        show(fact, in: &block, isWhole: true)
    }

    private mutating func grow(_ block: inout Block, _ fact: BlockFact, fromReread: Bool) {
        // Stored text may be behind what was streamed; that is no reason to take anything back.
        if block.shown.rest(after: fact.text) != nil {
            if !fromReread, block.shown.utf8.count == fact.text.utf8.count { block.state = .open }
            return
        }
        // From the stream it is in order with the deltas; from a re-read it may hold what waiting deltas bring again.
        block.state = fromReread ? .frozen : .open
        show(fact, in: &block, isWhole: false)
    }

    /// Brings what is shown to the block's text: by the missing rest where that is enough, else whole.
    private mutating func show(_ fact: BlockFact, in block: inout Block, isWhole: Bool) {
        guard reserve(fact.text.utf8.count - block.shown.utf8.count) else { return }
        let rest = fact.text.rest(after: block.shown)
        block.shown = fact.text
        switch (block.kind, rest) {
        case (.text, let rest?) where !isWhole: emit(.textDelta(block: fact.id, text: rest))
        case (.text, _): emit(.textBlock(block: fact.id, text: fact.text))
        // There is no event to replace reasoning; what was shown of it is a beginning, so the rest is enough.
        case (.reasoning, let rest?) where !rest.isEmpty: emit(.reasoningDelta(block: fact.id, text: rest))
        case (.reasoning, _), (.hidden, _): break
        }
    }

    private mutating func append(_ text: String, to id: String, of message: String, at now: Duration) {
        guard isOurs(message) else { return }
        guard let block = blocks[id] else { return wantReread(at: now) }
        guard block.state == .open, !text.isEmpty else { return }
        guard reserve(text.utf8.count) else {
            blocks[id]?.state = .frozen
            return
        }
        blocks[id]?.shown.append(text)
        emitGrowth(text, of: id, block.kind)
    }

    private mutating func emitGrowth(_ text: String, of id: String, _ kind: BlockFact.Kind) {
        switch kind {
        case .text: emit(.textDelta(block: id, text: text))
        case .reasoning: emit(.reasoningDelta(block: id, text: text))
        case .hidden: break
        }
    }

    /// What was heard of growing blocks while nobody listened. A block that was read back is a beginning of that, or is behind
    /// it altogether: then it is left as it is. Before the prompt is known deltas pass by, and would leave a hole behind it.
    mutating func recall(_ heard: [String: Block]) -> [Step] {
        guard !isOver, hasBegun else { return [] }
        for (id, block) in heard.sorted(by: { $0.key < $1.key }) where block.state == .open {
            let known = blocks[id]
            guard known?.state != .complete, let rest = block.shown.rest(after: known?.shown ?? ""),
                known != nil || hasRoom(blocks.count), reserve(rest.utf8.count)
            else { continue }
            blocks[id] = block
            if !rest.isEmpty { emitGrowth(rest, of: id, block.kind) }
        }
        return take()
    }

    private mutating func remove(_ id: String) {
        guard let block = blocks.removeValue(forKey: id) else { return }
        textBytes -= block.shown.utf8.count
        if block.kind == .text { emit(.textBlock(block: id, text: "")) }
    }

    /// Room for one more id where so many are remembered; says once that there is none.
    mutating func hasRoom(_ count: Int) -> Bool {
        guard count >= Limits.turnIDs else { return true }
        if !isFull {
            isFull = true
            emit(.notice("The answer has more than \(Limits.turnIDs) parts; the rest is not shown here."))
        }
        return false
    }

    /// Room for so many more bytes of text; says once that there is none.
    private mutating func reserve(_ bytes: Int) -> Bool {
        guard textBytes + bytes > Limits.turnTextBytes else {
            textBytes += bytes
            return true
        }
        if asked.insert("text-limit").inserted {
            emit(.notice("The answer is longer than \(Limits.turnTextBytes >> 20) MiB; the rest is not shown here."))
        }
        return false
    }
}

extension String {
    /// What follows `beginning`, byte for byte; nil when this does not begin so. (`hasPrefix` compares characters: a
    /// combining mark that a delta brings would make the text no longer begin with what was shown.)
    func rest(after beginning: String) -> String? {
        guard utf8.starts(with: beginning.utf8) else { return nil }
        return String(self[utf8.index(startIndex, offsetBy: beginning.utf8.count)...])
    }
}

extension ToolCall {
    fileprivate func changed(by change: ToolChange) -> ToolCall {
        ToolCall(
            id: id, name: name, status: change.status ?? status, title: change.title(of: name) ?? title,
            input: change.input?.words ?? input, output: change.output ?? output)
    }
}

extension ToolCall.Status {
    fileprivate var isOver: Bool {
        switch self {
        case .pending, .running: false
        case .completed, .failed, .brokenOff: true
        }
    }
}
