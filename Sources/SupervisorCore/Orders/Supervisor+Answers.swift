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
        let entry = self[child]
        switch (desire, entry.state) {
        case (_, .unkillable): return .failed(child, .unkillable)
        case (.up, .serving): return goal(of: child) == .up ? .done : nil
        case (.up, .done): return .done
        case (.up, .scheduled):
            // The run that was waited for is over.
            guard self[child].tally.unstable > 0, let end = self[child].lastEnd else { return .done }
            return .failed(child, end.cause)
        case (.up, .parked(let cause, _, _)): return .failed(child, cause)
        case (.up, .waiting), (.up, .delayed): return isHopeless(child) ? outcomeOfHopeless(child) : nil
        case (.up, .off), (.up, .spawning), (.up, .starting), (.up, .stopping): return nil
        case (.down, .spawning), (.down, .starting), (.down, .serving), (.down, .stopping): return nil
        case (.down, .off), (.down, .waiting), (.down, .scheduled), (.down, .delayed), (.down, .parked), (.down, .done):
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

    /// A later command wants something else of this child than earlier ones that still wait.
    mutating func overtake(on child: ChildID, unless desire: Waiter.Desire, _ turn: inout Turn) {
        for waiter in self[child].waiters where waiter.desire != desire { answer(waiter.command, .overtaken, &turn) }
        self[child].waiters.removeAll { $0.desire != desire }
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
