import SupervisorCore
import System
import Wire

extension Engine {
    /// What the signalfd brought.
    func takeSignals() {
        while let received = try? surroundings.signals.next() {
            switch received.signal {
            case .child: reap()
            case .terminate, .interrupt, .quit, .power, .halt: shutDown(received)
            case .hangUp: hangUp(received)
            case _: break
            }
        }
    }

    /// Before a wait that failed is tried again.
    static let reapPause: Duration = .milliseconds(100)

    /// Processes that are reaped before everybody else has a turn; about 10 µs each.
    static let reapsPerTurn = 512

    /// Takes every process that has ended. SIGCHLDs merge, so one of them means any number.
    func reap() {
        // Looked at after all are reaped: what is left of them is then one question to the kernel, not one each.
        var ended: [ChildID] = []
        for reaped in 0... {
            guard reaped < Self.reapsPerTurn else {
                reapAgainAt = now
                break
            }
            let step: Reaper.Step
            do {
                // What a child said last counts: its socket is read before its process is gone, as is whether it was executed.
                step = try surroundings.reaper.next { process in
                    guard let child = processes[process] else { return }
                    if let run = self[child].run, run.process == process { readLaunch(child, run) }
                    hearNotify(child, all: true)
                }
            } catch {
                say(LogEvent(.supervisorTrouble, 3, "Waiting for children failed: \(error)."))
                // Their SIGCHLDs are taken: nobody would remind of them.
                reapAgainAt = now + Self.reapPause
                step = .nothing
            }
            guard case .reaped(let process) = step else { break }
            if let child = take(process) { ended.append(child) }
        }
        for child in ended { settleRun(child) }
        settleLingering()
        carryOut()
    }

    /// An orphan may have been the last of its run.
    func settleLingering() { for child in lingering { settleRun(child) } }

    /// The child whose main process it was, if it was one.
    private func take(_ ended: EndedProcess) -> ChildID? {
        if let run = config.current?.run, run.process == ended.process {
            run.ended(ended)
            return nil
        }
        if let check = upgrade.check, check.process == ended.process {
            check.ended(ended)
            return nil
        }
        guard let child = processes.removeValue(forKey: ended.process), let run = self[child].run else {
            surroundings.containment.orphanEnded(ended.process)
            return nil
        }
        run.scope.ended(ended)
        guard ended.process == run.process else {
            finishProbe(child, run, ended.exit)
            return nil
        }
        if settleLaunch(of: child, run, ended.exit) { return nil }
        run.hasExited = true
        dropProbe(child, run)
        feed(.exited(child, run.id, run.judge(ended.exit)))
        return child
    }

    /// Looks whether anything of an ended run is left; if so, the next death or the cgroup's word is waited for.
    func settleRun(_ child: ChildID) {
        guard let run = self[child].run, run.hasExited else { return }
        guard run.scope.isEmpty() else {
            if !lingering.contains(child) { lingering.append(child) }
            killNewcomers(run, of: child)
            if !run.isWatched {
                run.isWatched = true
                try? run.scope.watch(
                    with: surroundings.poller, token: EventSource.population(child, run.generation).token)
            }
            return
        }
        lingering.removeAll { $0 == child }
        close(run, of: child)
        holdBack(child)
        feed(.emptied(child, run.id))
    }

    /// Everything that belonged to the run goes, but for its output, which log-writer may still be reading.
    private func close(_ run: LivingRun, of child: ChildID) {
        let cell = self[child]
        cell.usage = EndUsage(run.scope.usage(), of: run.id)
        if run.isWatched { run.scope.unwatch(with: surroundings.poller) }
        run.scope.close()
        leave(run.readyDescriptor)
        if run.hasBegun { closeBus(run, of: child) }
        removeCredentials(of: run, child)
        if child == logWriter, run.hasBegun { closeLogLink(run) }
        severed.removeAll { $0.child == child }
        cell.run = nil
        // A replacement writes over it; what is not replaced in this turn goes at its end.
        if cell.pidFile != nil { endedPIDFiles.append(child) }
    }

    /// PID files go with their processes.
    func removePIDFiles() {
        for child in endedPIDFiles where self[child].run == nil {
            self[child].pidFile?.remove(kernel)
            self[child].pidFile = nil
        }
        endedPIDFiles.removeAll(keepingCapacity: true)
    }

    func leave(_ fd: borrowing OwnedFD?) {
        switch fd {
        case .some(let fd): surroundings.poller.remove(fd)
        case .none: break
        }
    }
}

extension LivingRun {
    /// A SIGKILL in a scope that counts one from the OOM killer is that one's, and so is one for a limit of memory that
    /// nexusd keeps itself. What nexusd killed at the end of a stop has its cause already.
    fileprivate func judge(_ exit: Exit) -> Exit {
        guard case .signal(.kill, let coreDumped, _) = exit, isOverMemory || scope.oomKills() ?? 0 > 0 else {
            return exit
        }
        return .signal(.kill, coreDumped: coreDumped, oom: true)
    }
}
