import AgentModel

extension TurnReducer {
    /// Something that waits for the user.
    struct Pending: Hashable {
        var since: Duration
        var kind: Kind
        /// What people are saying to it: two devices may answer at once, of which the server takes one.
        var answers: [Answered] = []
        /// What is said to it because nobody did in time; nil: nothing, or the server did not take it.
        var overdue: Answered?
        /// What the server says was said to it, while it has not replied yet to somebody here who says the same.
        var settled: Answered.Answer?
        /// Somebody says no with words for the agent, which goes on by them.
        var isExplained = false

        enum Kind: Hashable {
            /// It wants leave for this action.
            case permission(action: String)
            case question
        }
    }

    mutating func ask(_ permission: PermissionAsk, at now: Duration) {
        guard isNew(permission.id, .permission(action: permission.action), at: now) else { return }
        emit(.permissionAsked(permission))
    }

    mutating func ask(_ question: QuestionAsk, at now: Duration) {
        guard isNew(question.id, .question, at: now) else { return }
        emit(.questionAsked(question))
    }

    /// An answer goes out by this side: when the server confirms it, it is known whose it was.
    mutating func answering(_ answered: Answered) { pending[answered.id]?.answers.append(answered) }

    /// This one was not taken.
    mutating func notAnswered(_ answered: Answered, at now: Duration) {
        guard answered.by != .default else {
            // Somebody was faster; what he said is told by events, or the next re-read.
            pending[answered.id]?.overdue = nil
            return wantReread(at: now)
        }
        guard let place = pending[answered.id]?.answers.firstIndex(of: answered) else { return }
        pending[answered.id]?.answers.remove(at: place)
        if let settled = pending[answered.id]?.settled { self.answered(answered.id, settled) }
    }

    /// Another client may have been faster: then what was meant to be said here was not, also where it was the same. Whose it
    /// was says the server's reply to whoever said so here, and no event.
    mutating func answered(_ id: String, _ answer: Answered.Answer) {
        guard let ask = pending[id] else { return }
        guard !ask.answers.contains(where: { $0.answer == answer }) else {
            pending[id]?.settled = answer
            return
        }
        let byDefault = ask.overdue.flatMap { $0.answer == answer ? $0 : nil }
        conclude(byDefault ?? Answered(id: id, answer: answer, by: .elsewhere))
    }

    /// The turn ends before the replies have come.
    mutating func concludeSettled() {
        for (id, ask) in pending.sorted(by: { $0.key < $1.key }) where ask.settled != nil { conclude(ask.said(id)) }
    }

    /// One of them does not wait any more, and this came of it. That nobody answered in time is said when it is so, and not
    /// when the answer for it goes out: somebody may be faster.
    mutating func conclude(_ answered: Answered) {
        guard let ask = pending.removeValue(forKey: answered.id) else { return }
        if answered.by == .default { emit(.notice(overdueWords(ask, answered))) }
        emit(.answered(answered))
        let isNo = answered.answer == .reject || answered.answer == .dismissed
        // What was said elsewhere may have had words.
        let isPlain = !ask.isExplained && answered.by != .elsewhere
        refusal = isNo ? (ask.kind, answered.by, isPlain) : nil
    }

    private func overdueWords(_ ask: Pending, _ answered: Answered) -> String {
        let within = "within \(policy.timeoutWords)"
        return switch ask.kind {
        case .permission(let action):
            "Nobody said \(within) whether the agent may use \(action): it is "
                + (answered.answer == .reject ? "rejected." : "allowed this once.")
        case .question: "Nobody answered the agent's question \(within): it is put aside."
        }
    }

    /// Why a turn ended that nobody stopped: in 2.x the agent stops it itself when it gets a plain no. Nil: it was stopped.
    var refusalWords: String? {
        guard let (kind, author, _) = refusal else { return nil }
        let within = "within \(policy.timeoutWords)"
        return switch (kind, author) {
        case (.permission(let action), .default):
            "Nobody said \(within) whether the agent may use \(action), and without that it ended the turn."
        case (.permission(let action), .user), (.permission(let action), .elsewhere):
            "The agent may not use \(action), and without that it ended the turn."
        case (.question, .default):
            "Nobody answered the agent's question \(within), and without an answer it ended the turn."
        case (.question, .user), (.question, .elsewhere):
            "The agent's question was put aside, and without an answer it ended the turn."
        }
    }

    /// What a re-read does not show any more was answered, whether or not an event said so.
    mutating func settle(_ reread: TurnReread) {
        let waiting = Set(reread.permissions.map(\.id) + reread.questions.map(\.id))
        for (id, ask) in pending where !waiting.contains(id) && ask.settled == nil { conclude(ask.said(id)) }
    }

    /// What nobody answered in time is answered as Supervisor.toml says: opencode itself would wait for ever. Where that
    /// does not help either, the turn is stopped.
    mutating func answerOverdue(at now: Duration) {
        for (id, ask) in pending.sorted(by: { $0.key < $1.key }) where now - ask.since >= policy.timeout {
            guard ask.answers.isEmpty, ask.overdue == nil else {
                if now - ask.since >= policy.timeout + Limits.defaultAnswerTime { giveUpWaiting() }
                continue
            }
            let answer: Answered.Answer =
                switch ask.kind {
                case .permission: .init(policy.permission)
                case .question: .dismissed
                }
            let said = Answered(id: id, answer: answer, by: .default)
            pending[id]?.overdue = said
            steps.append(.answerOverdue(said))
        }
    }

    private mutating func isNew(_ id: String, _ kind: Pending.Kind, at now: Duration) -> Bool {
        guard !asked.contains(id), hasRoom(asked.count) else { return false }
        asked.insert(id)
        pending[id] = Pending(since: now, kind: kind)
        if end.pendingSince == nil { end.pendingSince = now }
        return true
    }

    private mutating func giveUpWaiting() {
        guard !end.gaveUpWaiting else { return }
        end.gaveUpWaiting = true
        emit(.notice("The agent still waits for an answer that it does not take; the turn is stopped."))
        steps.append(.abort)
    }
}

extension TurnReducer.Pending {
    /// What was said to it, as far as that is known when nobody told which answer was taken.
    fileprivate func said(_ id: String) -> Answered {
        let possible = answers.filter { settled == nil || $0.answer == settled }
        return switch possible.count {
        case 0: overdue ?? Answered(id: id, answer: .unknown, by: .elsewhere)
        case 1: possible[0]
        case _: Answered(id: id, answer: settled ?? .unknown, by: possible[0].by)
        }
    }
}
