import Plan
import SupervisorCore
import System
import Wire

/// What the program before this one in the same process had, taken over by this one. Its children are children of this process
/// as before: nothing of them is new, and nobody is asked anything.
extension Engine {
    func resume(_ adoption: Adoption, _ handover: Handover) {
        if let router = adoption.router { self.router = router }
        inherited = Set(names.ids.compactMap { core.view(of: $0).run })
        journal.recall(handover.journal)
        vault.recall(adoption.content.head.generated)
        runsLastGood = adoption.content.head.runsLastGood
        unrecorded = handover.head.unrecorded
        refusedReload = handover.head.refusedReload
        for wish in handover.head.wishes { wishes.add(wish.child, wish.run, until: wish.until, at: now) }
        for child in names.ids {
            recall(handover.cells[Int(child.rawValue) - 1], of: child)
            recall(child, adoption)
        }
        for group in Set(names.shown.children.map { plan.policy($0).group }) { publishValues(in: group) }
        leaving = names.ids.filter { !plan.isShown($0) && !isGone($0) }
        upgrade.count = handover.head.count
        let refusal = surroundings.refusedUpgrade.map { "\(surroundings.program) cannot go on from here: \($0)" }
        tellUpgrade(refusal.map { .refused($0) } ?? .done, from: handover.from)
        adoptLogLink()
        // After it: a log-writer that goes on knows already what it owes.
        unfiled = handover.unfiled
        if logWriter != nil, !journal.isServed { outputGuard.begin(at: now) }
        for child in names.ids {
            if self[child].run?.hasExited == true {
                settleRun(child)
            } else {
                goOn(child, adoption.content.state.children[Int(child.rawValue) - 1].state, nil)
            }
        }
        board.hasStarted = handover.head.hasStarted
        core.resume(at: now, jitter: jitter(), into: &actions)
        // Whoever ended meanwhile waits to be reaped, whether or not a signal tells of it.
        reapAgainAt = now
    }

    private func recall(_ handed: HandoverCell, of child: ChildID) {
        let cell = self[child]
        cell.health = handed.health
        cell.usage = handed.usage
        cell.ends = handed.ends
        if let counts = handed.counts { cell.count(counts) }
        cell.isNotifyStale = handed.isNotifyStale
        guard handed.notify >= 0 else { return }
        let own = plan[child]
        let socket = NotifySocket(
            kernel, disposal, directory: surroundings.places.notify, child: own.name,
            user: own.identity?.uid ?? kernel.userID(), taking: OwnedFD(owning: handed.notify))
        do throws(Errno) { try follow(socket, of: child, own) } catch {
            say(
                LogEvent(
                    .spawnTrouble, 3, "\(names[child]): its notify socket cannot be heard: \(error).", names[child]))
        }
    }

    /// A run with all that it has; its scope has known its process from the start.
    func resumeRun(
        _ stored: Inheritance.Run, of child: ChildID, _ kept: ShellCell, _ handed: HandoverCell, _ adoption: Adoption
    ) {
        guard let pidfd = stored.pidfd?.take(), let scope = adoption.scopes[child], let more = handed.run else {
            return
        }
        let process = stored.process ?? ProcessID(rawValue: kept.process)
        let run = LivingRun(stored.id, process, pidfd, in: scope)
        furnish(run, stored, of: child, kept)
        run.hasExited = more.hasExited
        run.isToBeEmpty = more.isToBeEmpty
        run.isOverMemory = more.isOverMemory
        run.hasAskedForItself = more.hasAskedForItself
        run.readsNoMore = more.readsNoMore
        run.oddities = LivingRun.Oddity(rawValue: more.oddities)
        run.stopSignal = more.stopSignal.map { (Signal(rawValue: $0.signal), $0.at) }
        run.adoption = more.adoption
        if !run.isAdopted { scope.began(process) }
        if run.hasExited {
            scope.ended(EndedProcess(process: process, exit: .unknown))
        } else {
            processes[process] = child
            if run.isAdopted {
                try? surroundings.poller.add(run.pidfd, token: EventSource.adopted(child, run.generation).token)
            }
        }
        if let name = plan[child].pidFile { writePIDFile(name, of: child, process) }
        if more.busInput >= 0 { run.busInput = OwnedFD(owning: more.busInput) }
        if more.busOutput >= 0 { run.busOutput = OwnedFD(owning: more.busOutput) }
        listen(to: run.busInput, as: .busInput(child, run.generation))
    }
}
