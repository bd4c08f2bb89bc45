import Plan
import SupervisorCore
import Wire

extension Engine {
    /// For the last lines to come from log-writer; after this `why` is answered without them.
    static let lastLinesLimit: Duration = .seconds(1)
    /// Lines that are asked for.
    static let lastLineCount: UInt16 = 10

    /// `why CHILD`: what ended, its last lines, which rule applies, what comes next, what would make it give up.
    func askWhy(_ child: ChildID, _ id: FrameID, _ peer: PeerID) {
        let view = core.view(of: child)
        guard child != logWriter, journal.isServed, let run = view.lastEnd?.run ?? view.run else {
            return router.reply(id, why(child, lines: child == logWriter ? journal.lastWords.lines : []))
        }
        lastTag &+= 1
        answers.add(id, from: peer, .lastLines(child, tag: lastTag, until: now + Self.lastLinesLimit))
        journal.order(.last(run, lines: Self.lastLineCount, tag: lastTag))
    }

    func answerLastLines(_ tag: UInt32, _ lines: [String]) {
        guard let entry = answers.take(lastLines: tag), case .lastLines(let child, _, _) = entry.kind else { return }
        router.reply(entry.id, why(child, lines: lines))
    }

    func expireLastLines() {
        guard let due = answers.deadline, due <= now else { return }
        answers.settle { entry in
            guard case .lastLines(let child, _, let until) = entry.kind, until <= now else { return false }
            router.reply(entry.id, why(child, lines: []))
            return true
        }
    }

    private func why(_ child: ChildID, lines: [String]) -> [UInt8] {
        let view = core.view(of: child)
        var json = JSONWriter(capacity: 2048)
        json.object { json in
            json.raw("child", status(of: child))
            let policy = plan.policy(child)
            json.field("cause_rule", (view.cause ?? view.lastEnd?.cause)?.rule(policy))
            json.field("rule", policy.rule)
            json.field("next", next(child, view))
            json.field("gives_up", policy.givesUp(after: view.unstableRuns))
            WhySettings(child, view, plan).write(into: &json)
            json.field("config", surroundings.config)
            json.array("last_lines") { json in for line in lines.suffix(Int(Self.lastLineCount)) { json.value(line) } }
        }
        return json.bytes
    }

    private func next(_ child: ChildID, _ view: ChildView) -> String {
        let inTime = view.nextTry.map { "in \(($0 - now).words)" }
        return switch view.phase {
        case .off: "nothing until `nexusctl start \(names[child])`"
        case .waiting: view.waitsFor.map { "it starts when \(names[$0]) is ready" } ?? "it starts when its turn comes"
        case .scheduled:
            inTime.map { "its next run \($0), or `nexusctl start \(names[child])` at once" }
                ?? "its calendar is used up: `nexusctl reload`, or a restart of nexusd, computes the next times"
        case .delayed: "the next try \(inTime ?? "soon")"
        case .starting where plan.traits(child).readiness == .done:
            "it works, and is done when it ends with success; it has until \(plan.policy(child).startTimeout.words) after its start"
        case .starting: "it has until \(plan.policy(child).startTimeout.words) after its start to be ready"
        case .ready: "it serves" + growth(of: child)
        case .stopping: "it is being stopped"
        case .unkillable: "nothing while it is there: the kernel does not end it"
        case .parked:
            inTime.map { "the next try \($0), or `nexusctl start \(names[child])`" }
                ?? "it needs you: mend it, then `nexusctl start \(names[child])`"
        case .done: "nothing: it has done what it was for"
        }
    }

    private func growth(of child: ChildID) -> String {
        guard let since = self[child].run?.grownSince, let rule = plan.traits(child).bounds.recycle else { return "" }
        let left = rule.patience - (now - since)
        return
            "; it has grown above \(byteWords(rule.above)) and is replaced when it is idle, in \(left.words) at the latest"
    }
}
