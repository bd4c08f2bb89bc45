@testable import SupervisorCore

/// Which events have met which states of a child. A pair that cannot be is not counted: a process that is gone says nothing.
struct Coverage {
    private var hits = Set<Int>()

    /// The states, by how far a run has come.
    enum Place: Int, CaseIterable {
        case off, waiting, scheduled, delayed, parked, done
        case spawning, starting, serving, draining, leaving, terminating, sweeping, killing, killingTheRest, unkillable
    }

    /// The events, by what they may lead to.
    enum Kind: Int, CaseIterable {
        case cloned, spawned, spawnFailed, ready, stopping, extendTimeout, watchdogPing, watchdogTrigger,
            watchdogInterval
        case barred, healthy, unhealthy, praised, blamed, unprobed, drained, linkBroken, recycle, restartItself, exited,
            emptied
        case tick, timetable, crowded, uncrowded, start, stop, restart, reset, reload, late, end, hurry, kill
    }

    mutating func note(_ event: Event, at now: Instant, _ supervisor: Supervisor) {
        let (kind, child) = Kind.of(event)
        if let child {
            guard supervisor.contains(child), event.run.map({ supervisor.isLiving(child, $0) }) ?? true else { return }
            note(kind, supervisor[child].state)
            return
        }
        for index in supervisor.children.indices {
            let isDue = supervisor.deadline(of: ChildID(index: index)).map { $0 <= now } ?? false
            if kind != .tick || isDue { note(kind, supervisor.children[index].state) }
        }
    }

    mutating func noteReload(_ supervisor: Supervisor) {
        for child in supervisor.children { note(.reload, child.state) }
    }

    private mutating func note(_ kind: Kind, _ state: ChildState) {
        let place = Place(state)
        if kind.canMeet(place) { hits.insert(place.rawValue * 64 + kind.rawValue) }
    }

    /// How many pairs there were, of all that can be, and which were not.
    var words: String {
        var missing: [String] = []
        var count = 0
        for place in Place.allCases {
            for kind in Kind.allCases where kind.canMeet(place) {
                count += 1
                if !hits.contains(place.rawValue * 64 + kind.rawValue) { missing.append("\(kind) while \(place)") }
            }
        }
        let rest = missing.isEmpty || missing.count > 20 ? "" : "; not \(missing.joined(separator: ", "))"
        return "\(count - missing.count) of \(count) pairs of state and event\(rest)"
    }

    /// Events that came to no child at all.
    var unseen: [Kind] {
        Kind.allCases.filter { kind in
            !Place.allCases.contains { hits.contains($0.rawValue * 64 + kind.rawValue) }
        }
    }
}

extension Coverage.Place {
    fileprivate init(_ state: ChildState) {
        switch state {
        case .off: self = .off
        case .waiting: self = .waiting
        case .scheduled: self = .scheduled
        case .delayed: self = .delayed
        case .parked: self = .parked
        case .done: self = .done
        case .spawning: self = .spawning
        case .starting: self = .starting
        case .serving: self = .serving
        case .stopping(_, let ending):
            switch ending.step {
            case .draining: self = .draining
            case .leaving: self = .leaving
            case .terminating: self = .terminating
            case .sweeping: self = .sweeping
            case .killing(let exit, _): self = exit == nil ? .killing : .killingTheRest
            }
        case .unkillable: self = .unkillable
        }
    }
}

extension Coverage.Kind {
    /// The child that an event names; nil: it comes to all.
    fileprivate static func of(_ event: Event) -> (Coverage.Kind, ChildID?) {
        switch event {
        case .cloned(let child, _): (.cloned, child)
        case .spawned(let child, _): (.spawned, child)
        case .spawnFailed(let child, _, _, _): (.spawnFailed, child)
        case .barred(let child, _, _, _, _): (.barred, child)
        case .ready(let child, _): (.ready, child)
        case .stopping(let child, _): (.stopping, child)
        case .extendTimeout(let child, _, _): (.extendTimeout, child)
        case .watchdogPing(let child, _): (.watchdogPing, child)
        case .watchdogTrigger(let child, _): (.watchdogTrigger, child)
        case .watchdogInterval(let child, _, _): (.watchdogInterval, child)
        case .probed(let child, _, let isHealthy): (isHealthy ? .healthy : .unhealthy, child)
        case .judged(let child, _, let isHealthy): (isHealthy ? .praised : .blamed, child)
        case .unprobed(let child, _): (.unprobed, child)
        case .drained(let child, _): (.drained, child)
        case .linkBroken(let child, _, _): (.linkBroken, child)
        case .recycle(let child, _, _): (.recycle, child)
        case .restartItself(let child, _): (.restartItself, child)
        case .exited(let child, _, _): (.exited, child)
        case .emptied(let child, _): (.emptied, child)
        case .timetable(let child, _, _): (.timetable, child)
        case .crowded(let child, let isCrowded): (isCrowded ? .crowded : .uncrowded, child)
        case .tick: (.tick, nil)
        case .late: (.late, nil)
        case .shutdown(let level): (level < 2 ? .end : level == 2 ? .hurry : .kill, nil)
        case .command(.start(let target), _): (.start, target.child)
        case .command(.stop(let target), _): (.stop, target.child)
        case .command(.restart(let target), _): (.restart, target.child)
        case .command(.reset(let target), _): (.reset, target.child)
        }
    }

    fileprivate func canMeet(_ place: Coverage.Place) -> Bool {
        switch self {
        case .cloned, .barred: place == .spawning
        case .spawnFailed: place.hasMain && place != .starting && place != .serving && place != .leaving
        // Words of a run may be heard before it is known that there is one.
        case .spawned: place.hasRun && place != .unkillable && place != .starting
        case .emptied: place == .sweeping || place == .killingTheRest || place == .unkillable
        case .ready, .stopping, .extendTimeout, .watchdogPing, .watchdogTrigger, .watchdogInterval, .praised,
            .blamed, .linkBroken, .recycle, .restartItself, .exited:
            place.hasMain
        case .healthy, .unhealthy, .unprobed: place.hasMain && place != .spawning
        case .drained: place == .draining || place == .terminating || place == .killing || place == .unkillable
        case .tick: place.hasDeadline
        // A scheduled child never parks, is never done and waits for no delay.
        case .timetable: place != .parked && place != .done && place != .delayed
        case .crowded, .uncrowded, .start, .stop, .restart, .reset, .reload, .late, .end, .hurry, .kill: true
        }
    }
}

extension Coverage.Place {
    fileprivate var hasRun: Bool { rawValue >= Self.spawning.rawValue }
    fileprivate var hasMain: Bool { hasRun && self != .sweeping && self != .killingTheRest }
    fileprivate var hasDeadline: Bool {
        switch self {
        case .scheduled, .delayed, .parked, .starting, .serving, .draining, .leaving, .terminating, .sweeping, .killing,
            .killingTheRest:
            true
        case .off, .waiting, .done, .spawning, .unkillable: false
        }
    }
}

extension Command.Target {
    fileprivate var child: ChildID? {
        switch self {
        case .child(let child): child
        case .group, .all: nil
        }
    }
}

extension Event {
    fileprivate var run: RunID? {
        switch self {
        case .cloned(_, let run), .spawned(_, let run), .spawnFailed(_, let run, _, _),
            .barred(_, let run, _, _, _), .ready(_, let run),
            .stopping(_, let run),
            .extendTimeout(_, let run, _), .watchdogPing(_, let run), .watchdogTrigger(_, let run),
            .watchdogInterval(_, let run, _), .probed(_, let run, _), .judged(_, let run, _), .unprobed(_, let run),
            .drained(_, let run), .linkBroken(_, let run, _), .recycle(_, let run, _),
            .restartItself(_, let run), .exited(_, let run, _), .emptied(_, let run):
            run
        case .timetable, .crowded, .tick, .late, .shutdown, .command: nil
        }
    }
}
