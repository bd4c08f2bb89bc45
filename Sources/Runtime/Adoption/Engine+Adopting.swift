import Plan
import SupervisorCore
import System
import Wire

/// The runs of a nexusd that was killed, taken over by this one. They are no children of it: their pidfds tell that they
/// have ended, and how they did nobody can say.
extension Engine {
    /// What `status` says of it.
    static func note(adopted count: Int, predecessor end: String) -> String {
        "an earlier nexusd \(end): \(count == 1 ? "a run of it goes on" : "\(count) runs of it go on") under this one, by the"
            + " plan of that one (the file is read at the next reload); how they end is not known, memory figures begin anew"
    }

    /// Everything the core has living is taken over, ended and started anew, or known to be gone.
    func adopt(_ adoption: Adoption) {
        let living = adoption.living
        inherited = Set(names.ids.compactMap { core.view(of: $0).run })
        vault.recall(adoption.content.head.generated)
        runsLastGood = adoption.content.head.runsLastGood
        for child in names.ids { recall(child, adoption) }
        kernel.freeAddresses(of: adoption.sockets)
        for group in Set(names.shown.children.map { plan.policy($0).group }) { publishValues(in: group) }
        leaving = names.ids.filter { !plan.isShown($0) && !isGone($0) }
        notes.append(Self.note(adopted: living.count, predecessor: surroundings.predecessorsEnd))
        adoptLogLink()
        if logWriter != nil, !journal.isServed { outputGuard.begin(at: now) }
        let end = endingLevel
        if end > 0 {
            shutdownLevel = end
            shutdownBegan = now
            notify.stopping()
            surroundings.releaseReserve()
        }
        for child in names.ids {
            goOn(child, adoption.content.state.children[Int(child.rawValue) - 1].state, adoption.obstacles[child])
        }
        core.resume(at: now, jitter: jitter(), into: &actions)
    }

    /// How often the tree was asked to end before.
    private var endingLevel: UInt8 {
        switch core.treeMemory.life {
        case .idle, .awaitingLogWriter, .running, .finished: 0
        case .ending(let level): level
        }
    }

    /// What the shell knows of a child, its output and its run.
    func recall(_ child: ChildID, _ adoption: Adoption) {
        let cell = self[child]
        let kept = adoption.content.cells[Int(child.rawValue) - 1]
        cell.status = kept.status
        cell.captures = kept.captures
        cell.isStoppedByWorker = kept.isStoppedByWorker
        cell.remark = kept.remark.map { EndRemark($0.run, $0.words, $0.settings) }
        choices[child] = kept.choice
        if adoption.content.state.children[Int(child.rawValue) - 1].isCrowded { _ = crowded.add(child, at: now) }
        recallSockets(of: child, kept.sockets, adoption)
        let living = adoption.living(child)
        for run in adoption.runs where run.child == child && child != logWriter {
            let redactions = kept.redactions.first { $0.run == run.id }?.values ?? []
            let output = RunOutput(
                run: run.id, stdout: run.others[0]?.take(), stderr: run.others[1]?.take(), redactions: redactions)
            guard !output.isDrained else { continue }
            makeRoom(for: child)
            cell.outputs.append(output)
            for kind in StreamKind.allCases { _ = output.with(kind) { fd in pipeWatch?.add(fd) } }
        }
        cell.outputs.sort { $0.run < $1.run }
        guard let living else { return recallLogLink(of: child, adoption) }
        if let handover = adoption.handover {
            resumeRun(living, of: child, kept, handover.cells[Int(child.rawValue) - 1], adoption)
        } else {
            takeOver(living, of: child, kept, adoption)
        }
    }

    /// Of a log-writer that is gone: what it had not read is for the next one, and its last word may be that it has drained.
    private func recallLogLink(of child: ChildID, _ adoption: Adoption) {
        guard child == logWriter, let last = adoption.runs.last(where: { $0.child == child }),
            let ours = last.others[0]?.take(), let theirs = last.others[1]?.take()
        else { return }
        adoptedLink = LogLink(run: last.id, ours: ours, theirs: theirs)
    }

    private func recallSockets(of child: ChildID, _ inodes: [UInt64], _ adoption: Adoption) {
        let plans = plan.traits(child).sockets
        var spare: [OpenSocket] = []
        for (plan, inode) in zip(plans, inodes) {
            guard let fd = adoption.sockets[inode]?.take() else { continue }
            spare.append(OpenSocket(kernel, plan, taking: fd))
        }
        guard !spare.isEmpty else { return }
        self[child].sockets = ListeningSockets(kernel, plans, taking: &spare)
    }

    /// `adopted on 2026-11-27T21:00:00Z from a nexusd that was killed (life 0123abcd)`.
    private func words(adoptedFrom adoption: Adoption) -> String {
        "adopted on \(timestamp(second: kernel.wallClock() / 1_000_000_000)) from a nexusd that \(surroundings.predecessorsEnd)"
            + " (life \(adoption.content.head.life.prefix(8)))"
    }

    private func takeOver(_ stored: Inheritance.Run, of child: ChildID, _ kept: ShellCell, _ adoption: Adoption) {
        guard let pidfd = stored.pidfd?.take(), let scope = adoption.scopes[child] else { return }
        let process = stored.process.flatMap { $0.rawValue > 0 ? $0 : nil } ?? ProcessID(rawValue: kept.process)
        let run = LivingRun(stored.id, process, pidfd, in: scope)
        run.adoption = words(adoptedFrom: adoption)
        furnish(run, stored, of: child, kept)
        processes[process] = child
        try? surroundings.poller.add(run.pidfd, token: EventSource.adopted(child, run.generation).token)
        if let name = plan[child].pidFile { writePIDFile(name, of: child, process) }
        bindNotify(of: child, run)
    }

    /// All that a run has in whatever way it came here.
    func furnish(_ run: LivingRun, _ stored: Inheritance.Run, of child: ChildID, _ kept: ShellCell) {
        run.hasBegun = true
        run.sockets = kept.sockets.filter { $0 != 0 }
        for secret in kept.secrets { run.secretValues[secret.name] = secret.value }
        run.secrets = run.secretValues.values.filter { $0.utf8.count >= LogStream.shortestRedaction }
            .sorted { $0.utf8.count > $1.utf8.count }
        if kept.hasCredentials {
            run.credentials = CredentialFiles(
                adopting: names[child], directory: surroundings.places.credentials,
                names: plan[child].secretFiles.map { plan.secrets[Int($0)].name })
        }
        if child == logWriter {
            run.errors = stored.others[2]?.take()
            if let ours = stored.others[0]?.take(), let theirs = stored.others[1]?.take() {
                adoptedLink = LogLink(run: stored.id, ours: ours, theirs: theirs)
            }
            listen(to: run.errors, as: .logWriterErrors(run.generation))
        } else {
            run.readyDescriptor = stored.others[2]?.take()
            listen(to: run.readyDescriptor, as: .readyDescriptor(child, run.generation))
        }
        self[child].run = run
        memory.began(child, at: now)
    }

    private func bindNotify(of child: ChildID, _ run: LivingRun) {
        do throws(Obstacle) { _ = try notifySocket(child, plan[child]) } catch {
            say(LogEvent(.spawnTrouble, 3, "\(names[child]): \(error.words ?? "").", names[child], run.id))
        }
    }

    /// The link is greeted as if it were new; log-writer leaves alone what it reads already.
    func adoptLogLink() {
        guard let link = adoptedLink, let logWriter else { return }
        adoptedLink = nil
        guard self[logWriter].run != nil else {
            let reports = journal.inherit(link, surroundings.scratch)
            if reports.contains(.drained), core.view(of: logWriter).run == link.run {
                feed(.drained(logWriter, link.run))
            }
            return
        }
        openLogLink(link)
        guard core.view(of: logWriter).ready != nil else { return }
        link.isReady = true
        handStreams()
        beginPulse()
    }

    /// Ended by itself, or as a left-over, whose word it was that nobody had kept of it. systemd removes the cgroups that are empty
    /// before it starts nexusd again.
    private static func words(notThere obstacle: Errno?) -> String {
        switch obstacle {
        case .some(.noEntry): "it and its cgroup were gone when nexusd, which had been killed, began anew"
        case .some(let error): "it could not be adopted, for its cgroup could not be opened (\(error)), and was ended"
        case .none: "it was gone when nexusd, which had been killed, began anew"
        }
    }

    /// What the core is to know of a run that it has living.
    func goOn(_ child: ChildID, _ state: ChildState, _ obstacle: Errno?) {
        // The end of one before it may have let this one start.
        guard let id = core.view(of: child).run, inherited.contains(id) else { return }
        guard let run = self[child].run else {
            remark(child, id, Self.words(notThere: obstacle))
            // Its link ended with the nexusd that had it: that is why it is gone, as of one that is still there.
            if plan.isWorker(child) { feed(.linkBroken(child, id, .recycled)) }
            feed(.exited(child, id, .unknown))
            return feed(.emptied(child, id))
        }
        switch state {
        case .spawning: feed(.spawned(child, id))
        case .starting, .serving: feed(.unprobed(child, id))
        case .stopping(_, let ending): goOn(child, run, ending.step)
        case .unkillable: break
        case .off, .waiting, .scheduled, .delayed, .parked, .done: return
        }
        guard run.isAdopted, plan.isWorker(child) else { return }
        // Its link ended with the nexusd that had it, which half a frame of it may have reached. It ends by itself at that.
        feed(.linkBroken(child, id, .recycled))
        feed(.drained(child, id))
    }

    private func goOn(_ child: ChildID, _ run: LivingRun, _ step: Ending.Step) {
        switch step {
        case .draining:
            if child == logWriter { journal.order(.drain) }
        case .leaving, .terminating, .sweeping: break
        // It may have been on its way to only some of them.
        case .killing: send(.kill, .all, to: child, run.id)
        }
    }

    /// The pidfd of an adopted run says that its main process has ended.
    func adoptedEnded(_ child: ChildID, _ run: LivingRun) {
        guard run.isAdopted, !run.hasExited else { return }
        surroundings.poller.remove(run.pidfd)
        hearNotify(child, all: true)
        // Its last word may be that it has drained.
        if child == logWriter { readReports() }
        if processes[run.process] == child { processes[run.process] = nil }
        run.hasExited = true
        dropProbe(child, run)
        remark(child, run.id, "it was \(run.adoption ?? "adopted"): how it ended is known to nobody")
        feed(.exited(child, run.id, .unknown))
        settleRun(child)
    }
}
