import CNexus
import Plan
import SupervisorCore
import Wire

extension Engine {
    /// Looks at the children that something was said of.
    func settleBoard() {
        board.settle { child in
            let phase = core.view(of: child).phase
            settleSockets(child, phase)
            return phase
        }
        guard !board.hasStarted, board.isAtRest || now - started >= ReadinessBoard.startLimit else { return }
        board.hasStarted = true
        greet()
        // A start of a thousand leaves holes that a running tree never fills again.
        _ = malloc_trim(0)
    }

    /// Whoever started nexusd at a terminal is told that it is up: everything else it says goes to the log.
    private func greet() {
        guard surroundings.stderr.isTerminal, state != .stopping else { return }
        let wanted = board.count - board.off
        let children = "\(wanted - board.unsettled) of \(wanted) children ready"
        let look = "nexusctl --runtime \(surroundings.directories.runtime) status"
        let words = board.isReady ? "Up: \(children)" : "Up, but only \(children) after \((now - started).words)"
        surroundings.stderr.write(
            LogEvent(.supervisorTrouble, 6, "\(words). Look: `\(look)`. Ctrl-C stops everything in order."))
    }

    /// Answers what can be answered by now.
    func settleAnswers() {
        guard !answers.isEmpty else { return }
        answers.settle { entry in
            switch entry.kind {
            case .command, .reload, .upgrade, .events, .lastLines: return false
            case .ready(let children): return answerReady(entry.id, children)
            case .listing(let listing, var sent):
                let isComplete = continueListing(entry, listing, sent: &sent)
                entry.kind = .listing(listing, sent: sent)
                return isComplete
            }
        }
    }

    private func isUp(_ child: ChildID) -> Bool {
        switch core.view(of: child).phase {
        case .ready, .scheduled, .done: true
        case .off, .waiting, .delayed, .starting, .stopping, .unkillable, .parked: false
        }
    }

    private func answerReady(_ id: FrameID, _ children: [ChildID]) -> Bool {
        var isReady = true
        for child in children where !isUp(child) {
            isReady = false
            let view = core.view(of: child)
            switch view.phase {
            case .parked, .unkillable, .off:
                let why = view.cause.map { " (\($0.rawValue))" } ?? ""
                router.fail(id, .failed, "\(names[child]) is \(view.phase.rawValue)\(why)")
                return true
            case .waiting, .scheduled, .delayed, .starting, .ready, .stopping, .done: break
            }
        }
        guard isReady else { return false }
        var json = JSONWriter(capacity: 16)
        json.object { $0.field("ready", true) }
        router.reply(id, json.bytes)
        return true
    }

    /// Of those that are not named one by one: what the file enables, unless its owner chose otherwise.
    private func isMeant(_ child: ChildID) -> Bool { choices[child]?.isOn ?? plan.policy(child).enabled }

    /// Whom a question about being ready is about, each once. Of a group in which nobody is meant to run, all.
    func meant(by targets: [Command.Target]) -> [ChildID] {
        var found: [ChildID] = []
        for target in targets.isEmpty ? [.all] : targets {
            let children =
                switch target {
                case .child(let child): [child]
                case .group(let group):
                    plan.groups[Int(group.rawValue)].policy.children.contains(where: isMeant)
                        ? plan.groups[Int(group.rawValue)].policy.children.filter(isMeant)
                        : plan.groups[Int(group.rawValue)].policy.children
                case .all: names.shown.children.filter(isMeant)
                }
            found += children
        }
        var seen: Set<ChildID> = []
        return found.filter { seen.insert($0).inserted }
    }

    func readiness(of targets: [Command.Target]) -> [UInt8] {
        let missing = meant(by: targets).filter { !isUp($0) }
        var json = JSONWriter(capacity: 64)
        json.object { json in
            json.field("ready", missing.isEmpty)
            json.array("waiting") { json in for child in missing { json.value(names[child]) } }
        }
        return json.bytes
    }

    /// Sends an event to whoever subscribed; one that reads too slowly is told how many it missed.
    func publish(_ event: LogEvent) {
        let json = event.json(milliseconds: kernel.wallClock() / 1_000_000)
        answers.settle { entry in
            guard case .events(var missed) = entry.kind else { return false }
            defer { entry.kind = .events(missed: missed) }
            guard router.answerBytes(for: entry.requester) + json.count < Self.eventsAhead else {
                missed += 1
                return false
            }
            if missed > 0 {
                var note = JSONWriter(capacity: 24)
                note.object { $0.field("missed", missed) }
                missed = 0
                if !router.stream(entry.id, note.bytes) { return true }
            }
            return !router.stream(entry.id, json)
        }
    }

    /// Bytes of events that may wait for one requester.
    private static let eventsAhead = 131_072

    /// To whoever supervises nexusd.
    func announce() {
        let isServed = logWriter == nil || journal.isServed
        if isServed || now - started >= NotifySchedule.readyLimit { notify.ready() }
        if board.takeChange() {
            let wanted = board.count - board.off
            let word = state == .stopping ? "stopping" : "\(wanted - board.unsettled) of \(wanted) children ready"
            notify.say(word + (board.unsettled > 0 && state != .stopping ? ", see nexusctl status" : ""))
        }
        if state == .stopping, let deadline = core.nextDeadline { notify.extend(until: deadline, at: now) }
        notify.beat(at: now)
    }
}

extension LogEvent {
    /// As `events` sends it.
    func json(milliseconds: Int64) -> [UInt8] {
        var json = JSONWriter(capacity: 384)
        json.object { json in
            json.field("time_ms", milliseconds)
            json.field("priority", priority)
            json.field("message_id", messageID)
            json.field("message", message)
            json.field("child", child)
            json.field("run", run?.description)
            json.object("fields") { json in for field in fields { json.field(field.name, field.value) } }
        }
        return json.bytes
    }
}
