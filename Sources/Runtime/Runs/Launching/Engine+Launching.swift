import Plan
import SupervisorCore
import System
import Wire

/// From the clone to the exec, which the loop does not wait for.
extension Engine {
    /// There is a process; what becomes of it its report will say.
    func follow(_ launch: Launch, of run: LivingRun, _ child: ChildID) {
        let cell = self[child]
        cell.run = run
        cell.status = nil
        run.launch = launch
        processes[run.process] = child
        launching.append(child)
        feed(.cloned(child, run.id))
        do {
            try surroundings.poller.add(launch.report, token: EventSource.launch(child, run.generation).token)
        } catch {
            launch.lookAt = now + Launch.lookInterval
        }
    }

    /// Something is on the report, or it has ended.
    func readLaunch(_ child: ChildID, _ run: LivingRun) {
        guard let launch = run.launch, launch.outcome == .awaited else { return }
        do {
            switch try kernel.report(of: launch.report) {
            case .none: break
            // The report ends with a process that is killed before its exec, too.
            case .executed where ProcessTable.entry(run.process, kernel)?.isExecuted ?? true:
                executed(child, run, launch)
            case .executed: settle(launch, .killed)
            case .failed(let failure): settle(launch, .failed(failure))
            }
        } catch {
            launch.lookAt = now + Launch.lookInterval
        }
    }

    /// Its process is about to end, and nothing can be started in its place before that.
    private func settle(_ launch: Launch, _ outcome: Launch.Outcome) {
        launch.outcome = outcome
        launch.lookAt = nil
        surroundings.poller.remove(launch.report)
    }

    private func executed(_ child: ChildID, _ run: LivingRun, _ launch: Launch) {
        leave(launch, of: run, child)
        begin(run, child, &launch.equipment)
        feed(.spawned(child, run.id))
    }

    private func leave(_ launch: Launch, of run: LivingRun, _ child: ChildID) {
        surroundings.poller.remove(launch.report)
        launching.removeAll { $0 == child }
        run.launch = nil
    }

    /// The process of a run ended that was not executed as far as was known while it could be looked up; true when the core was
    /// told all there is.
    func settleLaunch(of child: ChildID, _ run: LivingRun, _ exit: Exit) -> Bool {
        guard let launch = run.launch else { return false }
        leave(launch, of: run, child)
        switch (launch.outcome, exit) {
        case (.failed(let failure), _):
            run.scope.close()
            removeCredentials(of: run, child)
            self[child].run = nil
            feed(.spawnFailed(child, run.id, failure.stage, errno: failure.error.rawValue))
            return true
        // Its report could not be read, and nothing but a program ends with a code.
        case (.awaited, .code): executed(child, run, launch)
        case (.tooLate, _): break
        case (.killed, _), (.awaited, .signal), (.awaited, .notExecuted), (.awaited, .unknown):
            remark(
                child, run.id,
                "never executed: it was ended before the exec of \(plan[child].executable), which the kernel may have had to"
                    + " wait for")
        }
        return false
    }

    /// Reports that are to be looked at, and those that do not come.
    func expireLaunches() {
        for child in launching {
            guard let run = self[child].run, let launch = run.launch else { continue }
            if let due = launch.lookAt, due <= now {
                launch.lookAt = now + Launch.lookInterval
                readLaunch(child, run)
            }
            guard run.launch != nil, let until = launch.until, until <= now else { continue }
            giveUp(launch, of: child, run)
        }
    }

    /// The core kills it, and knows what to do with one that outlives that.
    private func giveUp(_ launch: Launch, of child: ChildID, _ run: LivingRun) {
        settle(launch, .tooLate)
        launch.until = nil
        say(
            LogEvent(
                .spawnTrouble, 4,
                "\(names[child]) was not executed within \(Launch.limit.words) and is killed: the kernel still waits for "
                    + "its program file or its directory. Look for a lease on the file (/proc/locks) or a file system that "
                    + "hangs, or whether somebody has stopped pid \(run.process).",
                names[child], run.id))
        let failure = SpawnFailure.notInTime
        feed(.exited(child, run.id, .notExecuted(failure.stage, errno: failure.error.rawValue)))
    }
}
