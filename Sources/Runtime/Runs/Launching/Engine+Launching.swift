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
        do {
            try surroundings.poller.add(launch.report, token: EventSource.launch(child, run.generation).token)
        } catch {
            launch.lookAt = now + Launch.lookInterval
        }
    }

    /// Something is on the report, or it has ended.
    func readLaunch(_ child: ChildID, _ run: LivingRun) {
        guard let launch = run.launch, launch.failure == nil, launch.told != .tooLate else { return }
        do {
            switch try kernel.report(of: launch.report) {
            case .none: break
            case .executed: executed(child, run, launch)
            case .failed(let failure):
                // Its process is about to end, and nothing can be started in its place before that.
                launch.failure = failure
                launch.lookAt = nil
                surroundings.poller.remove(launch.report)
            }
        } catch {
            launch.lookAt = now + Launch.lookInterval
        }
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

    /// The process of a run ended that was not executed as far as is known; true when the core was told all there is.
    func settleLaunch(of child: ChildID, _ run: LivingRun) -> Bool {
        readLaunch(child, run)
        guard let launch = run.launch else { return false }
        leave(launch, of: run, child)
        guard launch.told == .nothing, let failure = launch.failure else { return false }
        run.scope.close()
        removeCredentials(of: run, child)
        self[child].run = nil
        feed(.spawnFailed(child, run.id, failure.stage, errno: failure.error.rawValue))
        return true
    }

    /// Reports that are to be looked at, and those that do not come.
    func expireLaunches() {
        for child in launching {
            guard let run = self[child].run, let launch = run.launch else { continue }
            if let due = launch.lookAt, due <= now {
                launch.lookAt = now + Launch.lookInterval
                readLaunch(child, run)
            }
            guard run.launch != nil, launch.told == .nothing, launch.until <= now else { continue }
            giveUp(launch, of: child, run)
        }
    }

    /// The core kills it, and knows what to do with one that outlives that.
    private func giveUp(_ launch: Launch, of child: ChildID, _ run: LivingRun) {
        launch.told = .tooLate
        launch.lookAt = nil
        surroundings.poller.remove(launch.report)
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

    /// Who is not wanted any more is not waited for: it is stopped as a process like any other. But for log-writer, which has
    /// the last lines of all others to write before it goes.
    func hurryLaunches() {
        var isOvertaken = false
        for child in launching where child != logWriter && core.isSpawnedInVain(child) {
            guard let run = self[child].run, let launch = run.launch, launch.told == .nothing else { continue }
            launch.told = .process
            isOvertaken = true
            feed(.spawned(child, run.id))
        }
        if isOvertaken { carryOut() }
    }
}
