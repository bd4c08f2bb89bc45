import SupervisorCore
import System
import Wire

extension Engine {
    /// Starts are spread over turns when a turn takes longer than this: nobody else waits for a tree of a thousand.
    static let spawnSlice: Duration = .milliseconds(20)

    /// Carries out what the core said, in order. What the carrying out brings up is fed at once and answered behind it.
    func carryOut() {
        while nextAction < actions.count {
            let action = actions[nextAction]
            nextAction += 1
            if perform(action), now - turnBegan > Self.spawnSlice { break }
        }
        if nextAction == actions.count {
            actions.removeAll(keepingCapacity: actions.count <= 64)
            nextAction = 0
        }
    }

    /// True when it started a process.
    private func perform(_ action: Action) -> Bool {
        switch action {
        case .spawn(let child, let run):
            spawn(child, run)
            return true
        case .drain(let child, let run): drain(child, run)
        case .signal(let child, let run, let signal, let scope): send(signal, scope, to: child, run)
        case .probe(let child, let run): probe(child, run)
        case .record(let record):
            note(record)
            let usage = usage(of: record)
            var event = LogEvent(record, names: names, at: now, usage: usage, detail: detail(of: record))
            if case .ended(let end) = record { event.fields += keep(end, usage) }
            say(event)
        case .answer(let command, let outcome): answer(command, outcome)
        case .end(let child, let exit): treeEnds(because: child, exit)
        case .finished(let clean): finished = clean
        }
        return false
    }

    private func drain(_ child: ChildID, _ run: RunID) {
        guard let living = self[child].run, living.id == run else { return }
        // Nothing was executed: there is nothing to finish.
        if living.launch != nil { return feed(.drained(child, run)) }
        guard child == logWriter else { return router.drain(PeerID(child)) }
        handStreams()
        journal.order(.drain)
    }

    private func usage(of record: Record) -> RunUsage {
        guard case .ended(let end) = record else { return RunUsage() }
        return self[end.child].usage?.usage(of: end.run) ?? RunUsage()
    }

    /// What is known of an end beyond its exit.
    private func detail(of record: Record) -> String? {
        guard case .ended(let end) = record, let remark = self[end.child].remark, remark.run == end.run else {
            return nil
        }
        return remark.words
    }

    /// What a record says about the picture nexusd has of its children.
    private func note(_ record: Record) {
        switch record {
        case .starting(let child, _):
            board.touch(child)
            self[child].health = nil
            askForTimes(of: child)
        case .stopping(let child, let run, let cause):
            board.touch(child)
            remarkStop(child, run, for: cause)
        case .killing(let child, let run):
            board.touch(child)
            remarkKill(child, run)
        case .ready(let child, _),
            .delayed(let child, _, _), .parked(let child, _, _),
            .skipped(let child, _), .unkillable(let child, _):
            board.touch(child)
        case .ended(let end):
            board.touch(end.child)
            remarkEnd(end)
        case .groupParked(let group, _, _):
            for child in plan.groups[Int(group.rawValue)].policy.children { board.touch(child) }
        }
    }
}
