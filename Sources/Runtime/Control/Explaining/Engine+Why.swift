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
        guard child != logWriter, journal.isServed, let run = explanation(of: child).toldRun else {
            return router.reply(id, why(child, lines: child == logWriter ? journal.lastWords.lines : []))
        }
        askLastLines(of: run, child, id, peer, until: now + Self.lastLinesLimit)
    }

    private func askLastLines(of run: RunID, _ child: ChildID, _ id: FrameID, _ peer: PeerID, until: Instant) {
        lastTag &+= 1
        answers.add(id, from: peer, .lastLines(child, run, tag: lastTag, until: until))
        journal.order(.last(run, lines: Self.lastLineCount, tag: lastTag))
    }

    func answerLastLines(_ tag: UInt32, _ lines: [String]) {
        guard let entry = answers.take(lastLines: tag), case .lastLines(let child, let run, _, let until) = entry.kind
        else { return }
        // A run that has said nothing yet: what the one before said last is better than nothing, under its name.
        if lines.isEmpty, let ended = core.view(of: child).lastEnd?.run, ended != run {
            return askLastLines(of: ended, child, entry.id, entry.requester, until: until)
        }
        router.reply(entry.id, why(child, lines: lines, of: run))
    }

    func expireLastLines() {
        guard let due = answers.deadline, due <= now else { return }
        answers.settle { entry in
            guard case .lastLines(let child, _, _, let until) = entry.kind, until <= now else { return false }
            router.reply(entry.id, why(child, lines: []))
            return true
        }
    }

    /// A child as it stands now, to be put into words.
    func explanation(of child: ChildID) -> Explanation {
        let cell = self[child]
        return Explanation(
            child: child, view: core.view(of: child), plan: plan, now: now, choice: choices[child],
            remark: cell.remark, hasProcess: cell.process != nil,
            executionEnd: executionEnd(of: child), treeEndsSince: shutdownBegan,
            kernelKeepsMemory: surroundings.containment.enforces(.memory), recycling: recycling(of: child),
            isStoppedByWorker: cell.isStoppedByWorker, isKilled: cell.run?.isToBeEmpty ?? false,
            phase: { [core] in core.view(of: $0).phase })
    }

    /// What `memory.recycle`, or an owner, wants of its run while that is ready.
    func recycling(of child: ChildID) -> Recycling? {
        guard let run = self[child].run else { return nil }
        let wish = wishes.limit(child, run.id)
        guard run.grownSince != nil || wish != nil else { return nil }
        return Recycling(
            growth: run.grownSince, wish: wish, rule: plan.traits(child).bounds.recycle,
            ready: core.view(of: child).ready, stableAfter: plan.policy(child).delay.stableAfter,
            isWatched: plan.isWorker(child) || !plan.keepers(of: child).isEmpty)
    }

    /// Of its start timeout and the limit for every exec, what comes first.
    func executionEnd(of child: ChildID) -> Instant? {
        guard let until = self[child].run?.launch?.until else { return nil }
        return min(until, core.view(of: child).until ?? until)
    }

    private func why(_ child: ChildID, lines: [String], of run: RunID? = nil) -> [UInt8] {
        var explanation = explanation(of: child)
        explanation.adoption = self[child].run?.adoption
        let entry = self[child].process.flatMap { ProcessTable.entry($0, kernel) }
        explanation.isSuspended = entry?.isSuspended ?? false
        var json = JSONWriter(capacity: 2048)
        json.object { json in
            json.raw("child", status(of: child))
            json.field("cause_rule", explanation.causeWords)
            json.field("rule", explanation.rule)
            json.field("next", explanation.next)
            json.field("gives_up", explanation.givesUp)
            json.field("built_in", explanation.isBuiltIn)
            json.array("settings") { Explanation.write(explanation.settings, into: &$0) }
            json.field("config", surroundings.config)
            json.array("last_lines") { json in for line in lines.suffix(Int(Self.lastLineCount)) { json.value(line) } }
            json.field("last_lines_run", lines.isEmpty ? nil : run?.description)
        }
        return json.bytes
    }
}
