extension Supervisor {
    /// Replaces a run that has grown too large, when it is idle. What requires the child keeps running, as after a crash.
    ///
    /// Only a run that has been ready for `stableAfter`: so there is at most one recycling in that time, and a child that
    /// grows faster meets its hard limit, which counts.
    mutating func recycle(_ child: ChildID, within time: Duration, _ turn: inout Turn) {
        switch self[child].state {
        case .serving(let run, _):
            guard let ready = run.ready, turn.now - ready >= policy(child).delay.stableAfter else { return }
            beginStop(child, for: .recycled, patience: time, &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .starting, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// A run that drains in order to be recycled has long for it; wanted down for another reason, no longer than others.
    /// Once: what it gets on request after that stays its own, whoever looks at it again.
    mutating func hastenRecycling(_ child: ChildID, _ turn: inout Turn) {
        guard case .stopping(let run, var ending) = self[child].state,
            case .draining(let until, isPatient: true) = ending.step
        else { return }
        let limit = turn.now + bounded(stopRule(child).drain ?? .zero)
        ending.step = .draining(until: min(limit, until), isPatient: false)
        revise(child, .stopping(run, ending))
    }
}
