extension Supervisor {
    /// True for a child that the clock starts.
    func isScheduled(_ child: ChildID) -> Bool { !timetables.isEmpty && timetables[child] != nil }

    /// Timetables of the tree in force; one whose rule is as before goes on, another one knows the last start.
    static func timetables(of tree: Tree, count: Int, before: [ChildID: Timetable] = [:]) -> [ChildID: Timetable] {
        var timetables: [ChildID: Timetable] = [:]
        for index in 0..<count {
            let child = ChildID(index: index)
            guard let rule = tree.children[index].schedule, child != tree.logWriter else { continue }
            timetables[child] = before[child]?.under(rule) ?? Timetable(rule)
        }
        return timetables
    }

    /// When time alone changes something about a child: in its state, or because it is to run.
    func deadline(of child: ChildID) -> Instant? {
        let own = self[child].state.deadline
        guard isScheduled(child), isKeepingTime, let next = timetables[child]?.next else { return own }
        switch self[child].state {
        case .off: return own
        case .scheduled, .waiting, .delayed, .spawning, .starting, .serving, .stopping, .unkillable, .parked, .done:
            return next.orEarlier(own)
        }
    }

    private var isKeepingTime: Bool {
        switch life {
        case .idle, .awaitingLogWriter, .running: true
        case .ending, .finished: false
        }
    }

    /// Wanted from now on: a scheduled child waits for its time, any other for its gates.
    mutating func comeUp(_ child: ChildID, _ turn: inout Turn) {
        guard isScheduled(child) else { return enter(child, .waiting(), &turn) }
        timetables[child]?.arm(at: turn.now)
        enter(child, .scheduled, &turn)
    }

    /// Its time has come, perhaps several times at once: one run, if there is none; what is too much is counted.
    mutating func takeTime(of child: ChildID, _ turn: inout Turn) {
        guard isScheduled(child), isKeepingTime else { return }
        let times = timetables[child]?.take(at: turn.now) ?? 0
        guard times > 0 else { return }
        let skipped: UInt32
        switch self[child].state {
        case .scheduled:
            enter(child, .waiting(), &turn)
            skipped = times - 1
        case .off: skipped = 0
        case .waiting, .delayed, .spawning, .starting, .serving, .stopping, .unkillable, .parked, .done:
            // Who is being turned off was to run no more.
            skipped = self[child].wanted ? times : 0
        }
        if skipped > 0 {
            timetables[child]?.skip(skipped)
            turn.tell(.skipped(child, times: skipped))
        }
    }

    /// The times of a calendar, as the wall clock stands now.
    mutating func takeTimetable(_ child: ChildID, _ moments: [Moment], second: Int64, _ turn: inout Turn) {
        guard contains(child), isScheduled(child) else { return }
        timetables[child]?.replace(moments, second: second)
        deadlines.set(child.index, deadline(of: child))
    }

    /// A run that the clock or a command started is over: the next one comes at its time, however this one ended.
    mutating func concludeScheduled(_ child: ChildID, _ cause: Cause, _ turn: inout Turn) {
        switch cause {
        case .done, .asked, .dependency, .recycled: self[child].tally.forget()
        case .config, .crash, .oom, .watchdog, .probe, .network, .unkillable, .unknown:
            self[child].tally.unstable.increase()
        }
        // A reload made it a scheduled one while it ran.
        if timetables[child]?.next == nil { timetables[child]?.arm(at: turn.now) }
        enter(child, .scheduled, &turn)
    }
}
