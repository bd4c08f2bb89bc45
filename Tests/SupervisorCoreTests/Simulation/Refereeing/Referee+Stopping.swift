import SupervisorCore

/// Promises 2 and 3: a stop comes to its end in time or is called unkillable, and signals go only to what is there.
extension Referee {
    /// No timeout of a stop is longer than this once the tree is asked for the second time.
    private func bounded(_ time: Duration) -> Duration { level >= 2 ? min(time, .seconds(1)) : time }

    mutating func noteShutdown(_ new: UInt8, at now: Instant) {
        level = max(level, min(new, 3))
        guard level >= 2 else { return }
        for index in lives.indices {
            if let due = lives[index]?.due { lives[index]?.due = min(due, now + .seconds(1)) }
        }
    }

    mutating func noteLeaving(_ child: ChildID, _ run: RunID, at now: Instant) {
        guard let life = self[child], life.run == run, life.isSpawned, life.ending == nil else { return }
        let due = now + bounded(stopRule(child).timeout)
        change(child, run) {
            $0.isLeaving = true
            $0.ending = now
            $0.due = due
        }
    }

    /// Up to ten times the timeout itself, and not when the tree is in a hurry.
    mutating func noteExtension(_ child: ChildID, _ run: RunID, _ time: Duration, at now: Instant) {
        guard let life = self[child], let due = life.due, let ending = life.ending, !life.isKilled, level < 2 else {
            return
        }
        let stop = stopRule(child)
        let limit = ending + max(stop.timeout, stop.drain ?? .zero) * 10
        change(child, run) { $0.due = max(due, min(now + time, limit)) }
    }

    mutating func noteDrain(_ action: Action, at now: Instant) {
        guard case .drain(let child, let run) = action else { return }
        // To be recycled it may have longer; no step of the simulation gives more than two seconds.
        let patience =
            self[child]?.stop == .recycled
            ? max(stopRule(child).drain ?? .zero, .seconds(2)) : stopRule(child).drain ?? .zero
        let due = now + bounded(patience)
        change(child, run) { $0.due = due }
    }

    mutating func judgeSignal(
        _ child: ChildID, _ run: RunID, _ signal: Signal, _ scope: SignalScope, at now: Instant
    ) {
        guard let life = self[child], life.run == run else {
            complain(3, "a signal for a run of \(child) that is over")
            return
        }
        if scope == .main, life.isExited { complain(3, "a signal for a main process of \(child) that was reaped") }
        let stop = stopRule(child)
        let graceEnds = now + bounded(stop.killGrace)
        let timeoutEnds = now + bounded(stop.timeout)
        change(child, run) {
            if signal == .kill {
                $0.isKilled = true
                $0.due = graceEnds
            } else if scope == .main {
                $0.due = timeoutEnds
            } else {
                // What is left gets what is left of the time; after the drain word, the whole of it.
                $0.due = max($0.due ?? now, timeoutEnds)
            }
        }
    }

    /// Every armed time has been looked at: nothing may be overdue.
    mutating func checkDues(at now: Instant) {
        for (index, life) in lives.enumerated() {
            guard let life, let due = life.due, due < now, !life.isUnkillable else { continue }
            complain(2, "child \(index) was to be a step further by \(due): \(life)")
        }
        for (index, life) in lives.enumerated() {
            guard let life, life.isExited, !life.isEmpty, life.stop?.isWanted != true, !life.isKilled else { continue }
            complain(2, "child \(index) ended by itself and the rest was not killed: \(life)")
        }
    }
}
