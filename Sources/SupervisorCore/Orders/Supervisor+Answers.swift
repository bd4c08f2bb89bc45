extension Supervisor {
    /// Answers commands that waited for this child, now that it took its step.
    mutating func answerWaiters(of child: ChildID, _ turn: inout Turn) {
        if self[child].waiters.isEmpty { return }
        var remaining: [Waiter] = []
        for waiter in self[child].waiters {
            guard let command = commands[waiter.command] else { continue }
            guard let outcome = outcome(of: child, waiter.desire) else {
                remaining.append(waiter)
                continue
            }
            if outcome == .done, command.remaining > 1 {
                commands[waiter.command]?.remaining -= 1
            } else {
                answer(waiter.command, outcome, &turn)
            }
        }
        self[child].waiters = remaining
    }

    /// What the wish of a command has come to at this child; nil: that is not decided yet.
    func outcome(of child: ChildID, _ desire: Waiter.Desire) -> CommandOutcome? {
        switch (desire.isUp, self[child].state) {
        case (_, .unkillable): return .failed(child, .unkillable)
        case (true, .serving(_, let serving)):
            let isSettled = desire == .up || serving.settled == nil
            return goal(of: child) == .up && isSettled ? .done : nil
        case (true, .done): return .done
        case (true, .scheduled):
            // The run that was waited for is over.
            guard self[child].tally.unstable > 0, let end = self[child].lastEnd else { return .done }
            return .failed(child, end.cause)
        case (true, .parked(let cause, _, _)): return .failed(child, cause)
        case (true, .waiting), (true, .delayed): return isHopeless(child) ? outcomeOfHopeless(child) : nil
        case (true, .off), (true, .spawning), (true, .starting), (true, .stopping): return nil
        case (false, .spawning), (false, .starting), (false, .serving), (false, .stopping): return nil
        case (false, .off), (false, .waiting), (false, .scheduled), (false, .delayed), (false, .parked), (false, .done):
            return .done
        }
    }

    private func outcomeOfHopeless(_ child: ChildID) -> CommandOutcome? {
        let culprit = culprit(holding: child)
        // Nobody wants it any more: it is on its way to off.
        if !self[culprit].wanted { return .overtaken }
        switch self[culprit].state {
        case .parked(let cause, _, _): return .failed(culprit, cause)
        case .unkillable: return .failed(culprit, .unkillable)
        case .off: return .overtaken
        case .waiting, .scheduled, .delayed, .spawning, .starting, .serving, .stopping, .done: return nil
        }
    }

    /// The child at the root of why another is held down: off, parked, unkillable, or on its way there.
    func culprit(holding child: ChildID) -> ChildID {
        var culprit = child
        while true {
            if let group = group(of: culprit), case .parked(let because, _) = groups[Int(group.rawValue)].state {
                return because
            }
            let next = order.requires[culprit].first { self[$0].facets.contains(.hopeless) }
            guard let next else { return culprit }
            culprit = next
        }
    }

    /// Whether somebody waits for more than the exec of a child that shows nothing more.
    func isToStay(_ child: ChildID) -> Bool {
        policy(child).ready == .spawned && self[child].waiters.contains { $0.desire == .upToStay }
    }

    /// It did not stay: whoever waited for that need not wait for the next try.
    mutating func disappoint(_ child: ChildID, _ cause: Cause, _ turn: inout Turn) {
        let isWelcome = cause == .done && policy(child).restart != .always
        guard !cause.isPlanned, !isWelcome, isToStay(child) else { return }
        for waiter in self[child].waiters where waiter.desire == .upToStay {
            answer(waiter.command, .failed(child, cause), &turn)
        }
        self[child].waiters.removeAll { $0.desire == .upToStay }
    }

    /// A later command wants something else of this child than earlier ones that still wait.
    mutating func overtake(on child: ChildID, unless desire: Waiter.Desire, _ turn: inout Turn) {
        for waiter in self[child].waiters where waiter.desire.isUp != desire.isUp {
            answer(waiter.command, .overtaken, &turn)
        }
        self[child].waiters.removeAll { $0.desire.isUp != desire.isUp }
    }

    /// The end of the tree overtakes everything.
    mutating func overtakeAll(_ turn: inout Turn) {
        for key in commands.keys.sorted() { answer(key, .overtaken, &turn) }
    }

    private mutating func answer(_ key: CommandKey, _ outcome: CommandOutcome, _ turn: inout Turn) {
        guard let command = commands.removeValue(forKey: key) else { return }
        turn.actions.append(.answer(command.id, outcome))
    }
}
