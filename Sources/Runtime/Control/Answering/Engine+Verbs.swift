import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// A request to nexusd itself, from a worker or a client.
    func serve(_ id: FrameID, from peer: PeerID, _ words: [UInt8]) {
        do throws(VerbError) {
            try bound(peer)
            let verb = try Verb(words, names: names)
            try check(verb, peer)
            carryOut(verb, id, peer)
        } catch {
            if error.code == .refused { auditRefusal(error.message, peer) }
            router.fail(id, error.code, error.message)
        }
    }

    /// Nobody's requests keep the children waiting: a link has a number of them answered in a turn, and a number that
    /// wait. What goes beyond is refused before anything is worked out for it.
    private func bound(_ peer: PeerID) throws(VerbError) {
        guard serving.takes(peer) else {
            throw VerbError(.busy, "\(ServingMeter.limit) requests at once are answered; read their answers first")
        }
        guard answers.hasRoom(for: peer) else {
            throw VerbError(.busy, "\(OpenAnswers.limitPerRequester) requests of this link to nexusd wait already")
        }
    }

    /// Permission goes by the link, never by what a frame claims.
    private func check(_ verb: Verb, _ peer: PeerID) throws(VerbError) {
        let isAllowed: Bool
        if let client = clients[peer] {
            isAllowed = !verb.isControl || client.access == .control
        } else if let child = peer.child, has(child), let worker = plan.traits(child).worker {
            isAllowed = worker.allows(verb) { plan.policy($0).group } || verb.isRestart(of: child)
        } else {
            isAllowed = false
        }
        guard isAllowed else { throw VerbError(.refused, "\(words(of: peer)) may not ask for '\(verb.words(names))'") }
        if case .change(.stop, .child(let child), _) = verb, child == logWriter {
            throw VerbError(
                .refused,
                "\(names[child]) is not stopped alone: everything that is said from then on would be lost. It ends last when"
                    + " nexusd stops; `nexusctl restart \(names[child])` gives it a new run")
        }
    }

    private func carryOut(_ verb: Verb, _ id: FrameID, _ peer: PeerID) {
        switch verb {
        case .status(nil): answers.add(id, from: peer, .listing(.status, sent: 0))
        case .status(.some(let child)): router.reply(id, status(of: child))
        case .tree: router.reply(id, tree())
        case .version: router.reply(id, version())
        case .why(let child): askWhy(child, id, peer)
        case .whyGroup(let group): router.reply(id, why(group))
        case .settings(let child): router.reply(id, settings(of: child))
        case .history(nil): answers.add(id, from: peer, .listing(.history, sent: 0))
        case .history(.some(let child)): router.reply(id, history(of: child))
        case .metrics: answers.add(id, from: peer, .listing(.metrics, sent: 0))
        case .events: answers.add(id, from: peer, .events(missed: 0))
        case .diff: wish(.diff(ConfigDesk.Asker(id: id, peer: peer)))
        case .reload:
            audit("\(words(of: peer)) asks: reload", peer)
            wish(.reload(ConfigDesk.Asker(id: id, peer: peer)))
        case .upgrade: askForUpgrade(id, peer)
        case .isReady(let targets): router.reply(id, readiness(of: targets))
        case .waitReady(let targets): answers.add(id, from: peer, .ready(meant(by: targets)))
        case .signal(let child, let signal): self.signal(child, signal, id, peer, verb)
        case .recycle(let child): recycle(child, id, peer, verb)
        case .note(let child, let text):
            audit("\(words(of: peer)) notes of \(names[child]): \(text)", peer)
            router.reply(id, outcome("done"))
        case .change where peer.child.map(verb.isRestart) ?? false && isWorker(peer): renew(id, peer, verb)
        case .change(let change, let target, let waits): order(change, target, waits, id, peer, verb)
        }
    }

    private func order(
        _ change: Verb.Change, _ target: Command.Target, _ waits: Bool, _ id: FrameID, _ peer: PeerID, _ verb: Verb
    ) {
        audit("\(words(of: peer)) asks: \(verb.words(names))", peer)
        commandCount += 1
        let command = CommandID(rawValue: commandCount)
        if waits {
            answers.add(id, from: peer, .command(command, words: verb.words(names)))
        } else {
            router.reply(id, outcome("accepted"))
        }
        for (child, _) in core.choices(madeBy: change.command(target)) {
            self[child].isStoppedByWorker = isWorker(peer) && change == .stop
        }
        choose(by: change.command(target), command, asWorker: isWorker(peer))
        feed(.command(change.command(target), command))
        // A command may change what is wanted without a record of it.
        board.touchAll()
    }

    /// A worker asks for its own restart. Its answer comes before its end, for nobody would read it behind that. It needs no grant
    /// for it, so a run that asks again adds no line.
    private func renew(_ id: FrameID, _ peer: PeerID, _ verb: Verb) {
        router.reply(id, outcome("accepted"))
        guard let child = peer.child, let run = self[child].run else { return }
        if !run.hasAskedForItself { audit("\(words(of: peer)) asks: \(verb.words(names))", peer) }
        run.hasAskedForItself = true
        let isStopping = core.view(of: child).phase == .stopping
        feed(.restartItself(child, run.id))
        if !isStopping, core.view(of: child).phase == .stopping { remark(child, run.id, EndRemark.wished) }
    }

    private func signal(_ child: ChildID, _ signal: Signal, _ id: FrameID, _ peer: PeerID, _ verb: Verb) {
        audit("\(words(of: peer)) asks: \(verb.words(names))", peer)
        // Before its exec it is a copy of nexusd without a handler: what the program means by a signal would end it.
        if self[child].run?.launch != nil, signal != .terminate, signal != .kill {
            let why =
                "the program of \(names[child]) is not executed yet, since the kernel waits for \(plan[child].executable), or"
                + " for its directory: until then only TERM and KILL are sent"
            return router.fail(id, .failed, why)
        }
        guard let run = self[child].run, !run.hasExited, (try? kernel.signal(run.pidfd, signal)) != nil else {
            return router.fail(
                id, .failed, "\(names[child]) has no process: it is \(core.view(of: child).phase.rawValue)")
        }
        router.reply(id, outcome("done"))
    }

    private func recycle(_ child: ChildID, _ id: FrameID, _ peer: PeerID, _ verb: Verb) {
        audit("\(words(of: peer)) asks: \(verb.words(names))", peer)
        guard let run = self[child].run else {
            return router.fail(id, .failed, "\(names[child]) has no run that could be recycled")
        }
        // As the core would judge: what it does not take is no wish that could wait either.
        let view = core.view(of: child)
        let wait = plan.policy(child).delay.stableAfter
        if view.phase == .ready, let ready = view.ready, now - ready >= wait {
            if isWorker(peer) {
                feed(.recycle(child, run.id, within: plan.traits(child).bounds.recycle?.patience ?? .zero))
            } else {
                wishRecycling(child, run.id)
            }
        } else if view.phase != .stopping || view.cause != .recycled {
            let words = "\(names[child]) is recycled only when it has been ready for \(wait.words) (stable-after)"
            return router.fail(id, .failed, words)
        }
        router.reply(id, outcome("accepted"))
    }

    /// The core says what became of a command.
    func answer(_ command: CommandID, _ outcome: CommandOutcome) {
        board.touchAll()
        // What was chosen by it is on disk before it is answered.
        if !config.keep(outcome, of: command) { tell(command, outcome) }
    }

    /// Answers a command.
    func tell(_ command: CommandID, _ outcome: CommandOutcome) {
        let problem = config.takeFailure(of: command)
        guard let entry = answers.take(command) else { return }
        switch outcome {
        case .done, .unchanged:
            if let problem {
                let why = "it is so, but only while this nexusd lives: the choice could not be recorded (\(problem))"
                return router.fail(entry.id, .failed, why)
            }
            let word = self.outcome(outcome == .done ? "done" : "unchanged")
            if case .reload = entry.kind {
                _ = router.stream(entry.id, word)
                router.endStream(entry.id)
            } else {
                router.reply(entry.id, word)
            }
        case .overtaken:
            let what = if case .command(_, let words) = entry.kind { words } else { "reload" }
            router.fail(
                entry.id, .failed,
                "\(what): a later command, or the stop of the tree, overtook it; see `nexusctl status`")
        case .failed(let child, let cause):
            router.fail(entry.id, .failed, "\(names[child]): \(failure(child, cause))")
        }
    }

    /// What is known of the end says more than its exit: nexusd's own signal, or which stage failed.
    private func failure(_ child: ChildID, _ cause: Cause) -> String {
        if cause == .unkillable { return "it outlived SIGKILL" }
        let view = core.view(of: child)
        let remark = self[child].remark.flatMap { $0.run == view.lastEnd?.run ? $0.words : nil }
        let how = (remark ?? view.lastEnd?.exit?.words).map { ": \($0)" } ?? ""
        let look = "see `nexusctl why \(names[child])`"
        guard view.phase != .parked, let end = view.lastEnd else {
            // Without another try it is so until somebody comes.
            let given = view.phase == .parked && view.nextTry == nil ? "given up" : "given up for now"
            return "it was \(given) (\(cause.rawValue)\(how)); \(look)"
        }
        let next =
            switch view.phase {
            // Whoever looks after it has stopped it meanwhile.
            case .off: "is off now"
            case .waiting, .scheduled, .delayed, .starting, .ready, .stopping, .unkillable, .parked, .done:
                view.isScheduled ? "runs again at its time" : "is tried again"
            }
        return
            "it ended \((end.ended - end.started).words) after its start (\(cause.rawValue)\(how)) and \(next); \(look)"
    }

    private func isWorker(_ peer: PeerID) -> Bool { clients[peer] == nil }

    private func outcome(_ word: String) -> [UInt8] {
        var json = JSONWriter(capacity: 32)
        json.object { $0.field("outcome", word) }
        return json.bytes
    }

    private func version() -> [UInt8] {
        var json = JSONWriter(capacity: 64)
        json.object {
            $0.field("version", NexusVersion.current)
            $0.field("protocol", FrameHeader.version)
            $0.field("pid", kernel.processID().rawValue)
            if let last = upgrade.last { last.write(into: &$0) } else { $0.null("upgrade") }
        }
        return json.bytes
    }
}

extension Verb {
    /// As it would be typed, for the log.
    func words(_ names: TreeNames) -> String {
        switch self {
        case .status(nil): "status"
        case .status(.some(let child)): "status \(names[child])"
        case .tree: "tree"
        case .version: "version"
        case .why(let child): "why child:\(names[child])"
        case .whyGroup(let group): "why group:\(names[group])"
        case .settings(let child): "settings \(names[child])"
        case .history(nil): "history"
        case .history(.some(let child)): "history \(names[child])"
        case .metrics: "metrics"
        case .events: "events"
        case .waitReady: "wait-ready"
        case .isReady: "is-ready"
        case .signal(let child, let signal): "signal child:\(names[child]) \(SignalName.show(signal))"
        case .diff: "diff"
        case .reload: "reload"
        case .upgrade: "upgrade"
        case .recycle(let child): "recycle \(names[child])"
        case .note(let child, _): "note child:\(names[child])"
        case .change(let change, .child(let child), _): "\(change.rawValue) child:\(names[child])"
        case .change(let change, .group(let group), _): "\(change.rawValue) group:\(names[group])"
        case .change(let change, .all, _): "\(change.rawValue) all"
        }
    }
}
