import AgentModel

extension TurnReducer {
    /// Something that waits for the user.
    struct Pending: Hashable {
        var since: Duration
        var kind: Kind
        /// What is being said to it, and by whom: two devices may answer at once, of which the server takes one.
        var answers: [Answered] = []

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
    mutating func notAnswered(_ answered: Answered) {
        guard let place = pending[answered.id]?.answers.firstIndex(of: answered) else { return }
        pending[answered.id]?.answers.remove(at: place)
    }

    mutating func answered(_ id: String, _ answer: Answered.Answer) {
        guard let ask = pending.removeValue(forKey: id) else { return }
        // Another client may have been faster: then what was meant to be said here was not.
        let ours = ask.answers.first { $0.answer == answer }
        emit(.answered(ours ?? Answered(id: id, answer: answer, by: .elsewhere)))
    }

    /// What a re-read does not show any more was answered, whether or not an event said so.
    mutating func settle(_ reread: TurnReread) {
        let waiting = Set(reread.permissions.map(\.id) + reread.questions.map(\.id))
        for (id, ask) in pending where !waiting.contains(id) {
            pending[id] = nil
            emit(.answered(ask.said(id)))
        }
    }

    /// What nobody answered in time is answered as Supervisor.toml says: opencode itself would wait for ever. Where that
    /// does not help either, the turn is stopped.
    mutating func answerOverdue(at now: Duration) {
        for (id, ask) in pending.sorted(by: { $0.key < $1.key }) where now - ask.since >= policy.timeout {
            guard ask.answers.isEmpty else {
                if now - ask.since >= policy.timeout + Limits.defaultAnswerTime { giveUpWaiting() }
                continue
            }
            let within = "within \(policy.timeoutWords)"
            switch ask.kind {
            case .permission(let action):
                let said = Answered(id: id, answer: .init(policy.permission), by: .default)
                pending[id]?.answers = [said]
                let word = policy.permission == .reject ? "rejected" : "allowed this once"
                emit(.notice("Nobody said \(within) whether the agent may use \(action): it is \(word)."))
                steps.append(.answerPermission(id, policy.permission))
            case .question:
                pending[id]?.answers = [Answered(id: id, answer: .dismissed, by: .default)]
                emit(.notice("Nobody answered the agent's question \(within): it is put aside."))
                steps.append(.dismissQuestion(id))
            }
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
        switch answers.count {
        case 0: Answered(id: id, answer: .unknown, by: .elsewhere)
        case 1: answers[0]
        case _: Answered(id: id, answer: .unknown, by: answers[0].by)
        }
    }
}
