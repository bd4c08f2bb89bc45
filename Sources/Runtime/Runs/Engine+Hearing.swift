import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// What a child says on its NOTIFY_SOCKET; `all` before its process is reaped or its watchdog judged.
    func hearNotify(_ child: ChildID, all: Bool = false) {
        let cell = self[child]
        guard let socket = cell.notify else { return }
        // Who speaks was executed before; its report may be behind this in the same turn.
        if let run = cell.run { readLaunch(child, run) }
        let hear = { (word: NotifyWord) in
            if let run = cell.run { self.hear(word, child, run.id) }
        }
        if all { socket.receiveAll(hear) } else { _ = socket.receive(hear) }
        guard socket.isBlocked else { return }
        surroundings.poller.remove(socket.fd)
        guard socket.awaitsRoom else { return }
        note(
            .unread, of: child,
            "\(names[child]) sent descriptors on its notify socket, and \(Disposal.limit) that others sent are still being "
                + "closed: it is not heard until there is room")
    }

    /// Threads have let go of what was sent along: those who wait for that are heard again.
    func takeDisposals() {
        for number in disposal.takeReports() {
            for cell in cells {
                guard let socket = cell.notify, socket.goOn(after: number) else { continue }
                try? surroundings.poller.add(socket.fd, token: EventSource.notify(cell.id).token)
            }
        }
    }

    /// Whether a message on the child's socket is known to come from elsewhere; said once a run.
    func isForeign(_ process: ProcessID, to child: ChildID) -> Bool {
        guard let run = self[child].run, run.process != process, run.scope.holds(process) == false else { return false }
        let name = ProcessTable.entry(process, kernel)?.name ?? "a process that is gone"
        note(
            .foreignMessage, of: child,
            "\(name) (pid \(process)) wrote to the notify socket of \(names[child]) and is not of its run: not heard")
        return true
    }

    /// A message of the child's that is not heard though somebody meant it; each kind is said once a run.
    func tellRefused(_ why: NotifySocket.Refusal, of child: ChildID) {
        switch why {
        case .tooLong:
            note(
                .tooLong, of: child,
                "\(names[child]) sent a message of more than \(NotifySocket.messageLimit) bytes on its notify socket: no word of "
                    + "it is heard; send shorter ones")
        case .foreignUser(let user):
            note(
                .foreignUser, of: child,
                "a process of uid \(user) wrote to the notify socket of \(names[child]), which is not that uid's: not heard"
            )
        }
    }

    /// A line about a habit of this run, the first time it is seen.
    private func note(_ oddity: LivingRun.Oddity, of child: ChildID, _ sentence: String) {
        guard let run = self[child].run, run.oddities.insert(oddity).inserted else { return }
        say(LogEvent(.notifyTrouble, 4, sentence + ".", names[child], run.id))
    }

    private func hear(_ word: NotifyWord, _ child: ChildID, _ run: RunID) {
        switch word {
        case .ready: if plan.traits(child).readiness == .notify { feed(.ready(child, run)) }
        case .stopping: feed(.stopping(child, run))
        case .status(let text):
            self[child].status = text.blotting(self[child].run?.secrets ?? [])
            keeper?.touch(child)
        case .watchdog: feed(.watchdogPing(child, run))
        case .watchdogTrigger:
            if [.starting, .ready].contains(core.view(of: child).phase) {
                remark(child, run, EndRemark.triggered)
            }
            feed(.watchdogTrigger(child, run))
        case .watchdogInterval(let interval): feed(.watchdogInterval(child, run, interval))
        case .mainProcess:
            note(
                .mainProcess, of: child,
                "\(names[child]) names another main process (MAINPID=), which is not followed: it is the one that was started"
            )
        case .extendTimeout(let time): feed(.extendTimeout(child, run, time))
        case .malformed(let name, let value):
            let shown = value.blotting(self[child].run?.secrets ?? [])
            note(
                .malformed(name), of: child,
                "\(names[child]) sent \(name.rawValue)=\(shown) on its notify socket, which is not heard: \(name.taken)"
            )
        }
    }

    /// A newline on the child's ready descriptor; whatever else comes there means nothing.
    func readReadiness(_ child: ChildID, _ generation: EventSource.Generation) {
        guard let run = run(child, generation) else { return }
        var isReady = false
        var isOpen = true
        switch run.readyDescriptor {
        case .some(let fd):
            let scratch = UnsafeMutableRawBufferPointer(rebasing: surroundings.scratch[..<512])
            do {
                let count = try kernel.read(fd, into: scratch)
                isReady = scratch[..<count].contains(UInt8(ascii: "\n"))
                isOpen = count > 0
            } catch {
                isOpen = error == .again
            }
        case .none: return
        }
        if isReady { feed(.ready(child, run.id)) }
        if isReady || !isOpen {
            leave(run.readyDescriptor)
            run.readyDescriptor = nil
        }
    }

    /// What log-writer found in a child's output.
    func takeCaptures(_ captures: [LogReport.Capture], of child: ChildID, _ run: RunID) {
        guard self[child].run?.id == run else { return }
        let before = self[child].captures
        self[child].captures = captures
        if before != captures {
            publishValues(of: child)
            keeper?.touch(child)
        }
        feed(.ready(child, run))
        if !before.isEmpty, before != captures { recycleReaders(of: child) }
    }

    /// Who was started with the old values in its words knows no other way to the new ones than a new start.
    private func recycleReaders(of child: ChildID) {
        for cell in cells {
            guard let run = cell.run, !run.hasExited, plan[cell.id].names(child) else { continue }
            remark(cell.id, run.id, "\(names[child]) told a new value that stands in its words")
            feed(.linkBroken(cell.id, run.id, .recycled))
        }
    }

    /// Workers know what their siblings have told: those of the same group, or all others outside of groups.
    private func publishValues(of child: ChildID) {
        publishValues(in: plan.policy(child).group)
    }

    /// The same for all of a group, or for all outside of groups.
    func publishValues(in group: GroupID?) {
        let siblings = names.shown.children.filter { plan.policy($0).group == group }
        var values: [String: String] = [:]
        for sibling in siblings {
            for capture in self[sibling].captures { values[names[sibling] + "." + capture.name] = capture.value }
        }
        for sibling in siblings where plan.isWorker(sibling) { router.setValues(values, for: PeerID(sibling)) }
    }
}

extension ChildPlan {
    /// Whether a value of this child stands in its command line or environment.
    fileprivate func names(_ child: ChildID) -> Bool {
        (arguments + environment.map(\.value)).contains { text in
            text.pieces.contains { piece in
                if case .captured(child, _) = piece { true } else { false }
            }
        }
    }
}
