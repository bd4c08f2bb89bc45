import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Runs the child's readiness or liveness probe once; always answered by `probed`.
    func probe(_ child: ChildID, _ run: RunID) {
        guard let living = self[child].run, living.id == run, !living.hasExited, living.probe == nil else { return }
        guard let probe = wantedProbe(child) else { return feed(.probed(child, run, healthy: true)) }
        let started: ProbeRun?
        switch probe {
        case .tcp(let host, let port, let timeout):
            let port = try? values([:]).resolve(port)
            started = port.map { ProbeRun.connect(kernel, host: host, port: $0, timeout: timeout, at: now) }
        case .exec(let executable, let arguments, let timeout):
            started = startProbe(executable, arguments, timeout, child, living)
        case .http(let http):
            guard let question = ask(http) else {
                return judge(.unknown("no verdict: nexus-probe is not up"), child, run)
            }
            started = question
        }
        guard let started else { return judge(.unhealthy("the probe cannot be started"), child, run) }
        if case .finished(let verdict) = started.state { return judge(verdict, child, run) }
        living.probe = started
        probing.append(child)
        try? started.watch(with: surroundings.poller, token: EventSource.probe(child, living.generation).token)
    }

    /// Until it is ready a child is asked what readiness means, afterwards what liveness means.
    func wantedProbe(_ child: ChildID) -> Probe? {
        if case .probe(let probe) = plan.traits(child).readiness, core.view(of: child).phase == .starting {
            return probe
        }
        return plan.traits(child).liveness
    }

    private func startProbe(
        _ executable: String, _ arguments: [Text], _ timeout: Duration, _ child: ChildID, _ living: LivingRun
    ) -> ProbeRun? {
        let childPlan = plan[child]
        var request = SpawnRequest(child: childPlan, run: living.id, descriptors: [])
        request.credentialsDirectory = living.credentials?.path
        do {
            let pipe = try kernel.makePipe(blocking: .write)
            if let owner = childPlan.identity, owner.uid != kernel.userID() {
                try kernel.changeOwner(pipe.write, user: owner.uid, group: owner.gid)
            }
            let spawned = try surroundings.spawner.spawnProbe(
                executable, arguments, of: request, in: living.scope, output: pipe.write,
                values: values(of: living))
            processes[spawned.process] = child
            return ProbeRun.watch(kernel, spawned, output: pipe.read, timeout: timeout, at: now)
        } catch {
            let failure = (error as? SpawnFailure)?.error ?? error as? Errno ?? .invalid
            let words = "The probe of \(names[child]) cannot be started: \(failure)."
            say(LogEvent(.spawnTrouble, 4, words, names[child], living.id))
            return nil
        }
    }

    /// The connect of a probe is over, or a short run has said something.
    func readProbe(_ child: ChildID, _ generation: EventSource.Generation) {
        guard let run = run(child, generation), let probe = run.probe else { return }
        probe.listen(with: surroundings.poller, surroundings.scratch)
        probe.connected()
        report(probe, child, run)
    }

    /// The process of a probe was reaped; one that was given up before is nothing but gone.
    func finishProbe(_ child: ChildID, _ run: LivingRun, _ exit: Exit) {
        if let probe = run.probe {
            probe.ended(exit)
            report(probe, child, run)
        }
        settleRun(child)
    }

    func expireProbes() {
        for child in probing {
            guard let run = self[child].run, let probe = run.probe, probe.deadline <= now else { continue }
            if case .asking = probe.state { proberHangs() }
            endSession(of: probe, run)
            probe.expire()
            report(probe, child, run)
        }
    }

    func report(_ probe: ProbeRun, _ child: ChildID, _ run: LivingRun) {
        guard case .finished(let verdict) = probe.state else { return }
        dropProbe(child, run)
        judge(verdict, child, run.id)
    }

    /// Keeps why for `status` and `why`, and tells the core.
    private func judge(_ verdict: ProbeVerdict, _ child: ChildID, _ run: RunID) {
        switch verdict {
        case .healthy:
            self[child].health = nil
            feed(.probed(child, run, healthy: true))
        case .unhealthy(let why):
            self[child].health = why.blotting(self[child].run?.secrets ?? [])
            feed(.probed(child, run, healthy: false))
        case .unknown(let why):
            self[child].health = why
            feed(.unprobed(child, run))
        }
    }

    /// A probe leads a session of its own: what it started goes with it. What left that session goes with the run.
    private func endSession(of probe: ProbeRun, _ run: LivingRun) {
        guard case .running(let leader) = probe.state else { return }
        for entry in run.scope.members() where entry.session == leader && entry.process != leader {
            _ = kernel.signal(entry, .kill) { _ in true }
        }
    }

    /// Nobody waits for it any more.
    func dropProbe(_ child: ChildID, _ run: LivingRun) {
        guard let probe = run.probe else { return }
        if case .asking(let id) = probe.state { router.withdraw(id) }
        probe.expire()
        probe.unwatch(with: surroundings.poller)
        run.probe = nil
        probing.removeAll { $0 == child }
    }
}
