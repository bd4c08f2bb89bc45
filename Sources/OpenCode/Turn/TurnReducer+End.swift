import AgentModel

extension TurnReducer {
    /// The rule by which a turn ends: the session rests, nothing waits for the user, and the newest answer is newer than
    /// the prompt and over. What looks unfinished at rest gets a little time, because opencode also rests for a moment
    /// between two steps.
    mutating func judge(_ reread: TurnReread, at now: Duration) {
        guard reread.permissions.isEmpty, reread.questions.isEmpty else {
            end.idleSince = nil
            end.pendingSince = end.pendingSince ?? now
            return
        }
        end.pendingSince = nil
        guard !reread.isBusy else {
            end.idleSince = nil
            return
        }
        let idleSince = end.idleSince ?? now
        end.idleSince = idleSince
        let idle = now - idleSince
        guard let answer = newestAnswer else { return judgeWithoutAnswer(idle: idle) }
        switch answer.end {
        case .finished: finish(.done)
        case .cut:
            emit(.notice("The answer was cut at the model's output limit. Ask it to go on."))
            finish(.done)
        case .failed(let problem): finish(outcome(of: problem))
        // After a rejected permission a turn rests like this for good: of a plain no that is known, and no further step comes.
        case .toolCalls:
            if refusal?.isPlain == true || idle >= Limits.idleTime { finish(lastProblem.map(outcome) ?? .done) }
        case nil: if end.wasLost || idle >= Limits.idleTime { finish(unfinished) }
        }
    }

    private var newestAnswer: MessageFact? {
        messages.values.filter { $0.author == .assistant && isOurs($0.id) }.max { left, right in
            switch order {
            case .byID: left.id < right.id
            case .byArrival: arrivals[left.id, default: 0] < arrivals[right.id, default: 0]
            }
        }
    }

    /// At rest, and no answer was begun.
    private mutating func judgeWithoutAnswer(idle: Duration) {
        if let lastProblem {
            finish(outcome(of: lastProblem))
        } else if end.wasLost {
            finish(unfinished)
        } else if idle >= Limits.beginTime {
            let taken = messages[prompt] != nil
            finish(
                .failed(
                    reason: taken
                        ? "opencode took the message but began no answer; its log (nexusctl logs opencode) may say why."
                        : "opencode said yes to the message but does not have it. Send it again if you still want it."))
        }
    }

    private func outcome(of problem: AgentProblem) -> TurnOutcome {
        guard problem.isAbort else { return .failed(reason: problem.words) }
        return .interrupted(reason: problem == .stopped ? refusalWords ?? problem.words : problem.words)
    }

    private var unfinished: TurnOutcome {
        if let lastProblem { return outcome(of: lastProblem) }
        return .interrupted(reason: "opencode ended while it was answering. What it had written so far is kept.")
    }
}
