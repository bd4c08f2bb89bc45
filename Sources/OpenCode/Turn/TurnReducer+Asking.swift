import AgentModel

extension TurnReducer {
    /// Something that waits for the user.
    struct Pending: Hashable {
        var since: Duration
        var kind: Kind
        /// What is being said to it, and by whom; nil while nothing is.
        var answer: Answered?

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
    mutating func answering(_ answered: Answered) { pending[answered.id]?.answer = answered }

    mutating func notAnswered(_ id: String) { pending[id]?.answer = nil }

    mutating func answered(_ id: String, _ answer: Answered.Answer) {
        guard let ask = pending.removeValue(forKey: id) else { return }
        // Another client may have been faster: then what was meant to be said here was not.
        let ours = ask.answer.flatMap { $0.answer == answer ? $0 : nil }
        emit(.answered(ours ?? Answered(id: id, answer: answer, by: .elsewhere)))
    }

    /// What a re-read does not show any more was answered, whether or not an event said so.
    mutating func settle(_ reread: TurnReread) {
        let waiting = Set(reread.permissions.map(\.id) + reread.questions.map(\.id))
        for (id, ask) in pending where !waiting.contains(id) {
            pending[id] = nil
            emit(.answered(ask.answer ?? Answered(id: id, answer: .unknown, by: .elsewhere)))
        }
    }

    /// What nobody answered in time is answered as Supervisor.toml says: opencode itself would wait for ever. Where that
    /// does not help either, the turn is stopped.
    mutating func answerOverdue(at now: Duration) {
        for (id, ask) in pending.sorted(by: { $0.key < $1.key }) where now - ask.since >= policy.timeout {
            guard ask.answer == nil else {
                if now - ask.since >= policy.timeout + Limits.defaultAnswerTime { giveUpWaiting() }
                continue
            }
            let within = "within \(policy.timeoutWords)"
            switch ask.kind {
            case .permission(let action):
                let said = Answered(id: id, answer: .init(policy.permission), by: .default)
                pending[id]?.answer = said
                let word = policy.permission == .reject ? "rejected" : "allowed this once"
                emit(.notice("Nobody said \(within) whether the agent may use \(action): it is \(word)."))
                steps.append(.answerPermission(id, policy.permission))
            case .question:
                pending[id]?.answer = Answered(id: id, answer: .dismissed, by: .default)
                emit(.notice("Nobody answered the agent's question \(within): it is put aside."))
                steps.append(.dismissQuestion(id))
            }
        }
    }

    private mutating func isNew(_ id: String, _ kind: Pending.Kind, at now: Duration) -> Bool {
        guard asked.count < Limits.turnIDs, asked.insert(id).inserted else { return false }
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
