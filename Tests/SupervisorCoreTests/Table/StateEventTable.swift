@testable import SupervisorCore

/// The state × event table of one child, made by asking the core: every state, reached by a script, meets every event.
enum StateEventTable {
    /// A state and how to get there; the child in question is always a.
    struct Situation {
        let name: String
        let scene: Scene
    }

    /// An event and its name in the table.
    struct Occasion {
        let name: String
        let event: Event
    }

    /// Every event that names a run.
    static func runEvents(_ child: ChildID, _ run: RunID) -> [Event] { occasions(child, run).map(\.event) }

    private static func occasions(_ child: ChildID, _ run: RunID) -> [Occasion] {
        [
            Occasion(name: "cloned", event: .cloned(child, run)),
            Occasion(name: "spawned", event: .spawned(child, run)),
            Occasion(name: "spawnFailed exec ENOENT", event: .spawnFailed(child, run, .exec, errno: 2)),
            Occasion(name: "spawnFailed clone EAGAIN", event: .spawnFailed(child, run, .clone, errno: 11)),
            Occasion(name: "barred by b", event: .barred(child, run, .prepare, errno: 11, by: .b)),
            Occasion(name: "ready", event: .ready(child, run)),
            Occasion(name: "stopping", event: .stopping(child, run)),
            Occasion(name: "extendTimeout 30 s", event: .extendTimeout(child, run, .seconds(30))),
            Occasion(name: "watchdogPing", event: .watchdogPing(child, run)),
            Occasion(name: "watchdogTrigger", event: .watchdogTrigger(child, run)),
            Occasion(name: "watchdogInterval 2 s", event: .watchdogInterval(child, run, .seconds(2))),
            Occasion(name: "unprobed", event: .unprobed(child, run)),
            Occasion(name: "probed healthy", event: .probed(child, run, healthy: true)),
            Occasion(name: "probed unhealthy", event: .probed(child, run, healthy: false)),
            Occasion(name: "judged healthy", event: .judged(child, run, healthy: true)),
            Occasion(name: "judged unhealthy", event: .judged(child, run, healthy: false)),
            Occasion(name: "drained", event: .drained(child, run)),
            Occasion(name: "linkBroken crash", event: .linkBroken(child, run, .crash)),
            Occasion(name: "recycle", event: .recycle(child, run, within: .seconds(600))),
            Occasion(name: "restartItself", event: .restartItself(child, run)),
            Occasion(name: "exited 0", event: .exited(child, run, .code(0))),
            Occasion(name: "exited 1", event: .exited(child, run, .code(1))),
            Occasion(name: "exited 78", event: .exited(child, run, .code(78))),
            Occasion(name: "exited KILL", event: .exited(child, run, .killed)),
            Occasion(name: "emptied", event: .emptied(child, run)),
        ]
    }

    private static func otherOccasions() -> [Occasion] {
        let id = CommandID(rawValue: 1)
        return [
            Occasion(name: "tick", event: .tick),
            Occasion(name: "crowded", event: .crowded(.a, true)),
            Occasion(name: "no longer crowded", event: .crowded(.a, false)),
            Occasion(name: "start", event: .command(.start(.child(.a)), id)),
            Occasion(name: "stop", event: .command(.stop(.child(.a)), id)),
            Occasion(name: "restart", event: .command(.restart(.child(.a)), id)),
            Occasion(name: "reset", event: .command(.reset(.child(.a)), id)),
            Occasion(name: "shutdown 1", event: .shutdown(level: 1)),
            Occasion(name: "shutdown 2", event: .shutdown(level: 2)),
            Occasion(name: "shutdown 3", event: .shutdown(level: 3)),
            Occasion(name: "late 5 s", event: .late(.seconds(5))),
        ]
    }

    /// The whole table.
    static func markdown() -> String {
        situations().map(section).joined(separator: "\n")
    }

    private static func section(_ situation: Situation) -> String {
        var rows: [String] = []
        var ignored: [String] = []
        for occasion in otherOccasions().prefix(1) + occasions(.a, situation.scene.run(.a))
            + otherOccasions().dropFirst()
        {
            var scene = situation.scene
            let before = scene.supervisor.fingerprint
            var name = occasion.name
            if occasion.event == .tick {
                guard let deadline = scene.supervisor.nextDeadline else {
                    ignored.append("tick")
                    continue
                }
                name = "tick (after \((deadline - scene.now).nanoseconds / 1_000_000) ms)"
                scene.now = deadline
            }
            let actions = scene.send(occasion.event)
            let view = scene.view(.a)
            if actions.isEmpty, scene.supervisor.fingerprint == before {
                ignored.append(name)
            } else {
                let cause = view.cause.map { " (\($0.rawValue))" } ?? ""
                let words = actions.isEmpty ? "(nothing yet)" : actions.joined(separator: " · ")
                rows.append("| \(name) | \(view.phase.rawValue)\(cause) | \(words) |")
            }
        }
        let rest = ignored.isEmpty ? "" : "\nNothing comes of: \(ignored.joined(separator: ", ")).\n"
        let head = "### \(situation.name)\n\n| event | then | what the core says |\n|---|---|---|\n"
        return head + rows.joined(separator: "\n") + "\n" + rest
    }

    private static let policy = ChildPolicy(
        ready: .reported, liveness: LivenessRule(interval: .seconds(5), misses: 1), watchdog: .seconds(8),
        stop: StopRule(drain: .seconds(2)))

    /// Nothing watches its health, so that it can be ready for long.
    private static let patient = ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(2)))

    private static func situations() -> [Situation] {
        var list = beginnings() + endings()
        var parked = Scene.ready([policy])
        parked.ends(.a, .code(78))
        list.append(Situation(name: "parked", scene: parked))
        var transient = policy
        transient.restart = .onFailure
        var done = Scene.ready([transient])
        done.ends(.a, .code(0))
        list.append(Situation(name: "done", scene: done))
        var finished = Scene.begun([policy])
        finished.send(.spawnFailed(.a, finished.run(.a), .exec, errno: 2))
        finished.send(.shutdown(level: 1))
        list.append(Situation(name: "off, the tree having finished", scene: finished))
        return list
    }

    private static func beginnings() -> [Situation] {
        var disabled = policy
        disabled.enabled = false
        var daily = policy
        daily.schedule = .every(.seconds(86_400))
        var scheduled = Scene.ready([daily])
        scheduled.ends(.a, .code(0))
        var gated = policy
        gated.requires = [.b]
        var crowded = Scene.ready([policy])
        crowded.send(.crowded(.a, true))
        crowded.pass(.seconds(1))
        crowded.ends(.a)
        var delayed = Scene.ready([policy])
        delayed.ends(.a)
        var barred = Scene.ready([disabled, .reporting()])
        barred.command(.stop(.child(.b)))
        barred.command(.start(.child(.a)))
        barred.send(.barred(.a, barred.run(.a), .prepare, errno: 11, by: .b))
        var cloned = Scene.begun([policy])
        cloned.cloned(.a)
        var doomed = Scene.begun([policy])
        doomed.command(.stop(.child(.a)))
        var starting = Scene.begun([policy])
        starting.spawned(.a)
        var probing = policy
        probing.ready = .probed(interval: .seconds(1))
        var asked = Scene.begun([probing])
        asked.spawned(.a)
        var due = asked
        due.send(.probed(.a, due.run(.a), healthy: false))
        var stable = Scene.ready([patient])
        stable.pass(.seconds(60))
        var held = Scene.ready([policy, .reporting(requires: [.a])])
        held.command(.stop(.child(.a)))
        return [
            Situation(name: "off", scene: .begun([disabled])),
            Situation(name: "waiting (for b, which is starting)", scene: .begun([gated, .reporting()])),
            Situation(name: "scheduled (every day)", scene: scheduled),
            Situation(name: "ready, scheduled (every day)", scene: .ready([daily])),
            Situation(name: "waiting, crowded: its output waits for the log-writer", scene: crowded),
            Situation(name: "waiting for the end of b, whose run has what it needs", scene: barred),
            Situation(name: "delayed", scene: delayed),
            Situation(name: "starting: spawn said, no answer yet", scene: .begun([policy])),
            Situation(name: "starting: there is a process, its program is not executed", scene: cloned),
            Situation(name: "starting: spawn said, stopped meanwhile by a command", scene: doomed),
            Situation(name: "starting: spawned", scene: starting),
            Situation(name: "starting: spawned, a readiness probe out", scene: asked),
            Situation(name: "starting: spawned, the next readiness probe due later", scene: due),
            Situation(name: "ready", scene: .ready([policy])),
            Situation(name: "ready for as long as `stable-after`", scene: stable),
            Situation(name: "ready, to be stopped when b is empty", scene: held),
        ]
    }

    private static func endings() -> [Situation] {
        var draining = Scene.ready([policy])
        draining.command(.stop(.child(.a)))
        var recycling = Scene.ready([patient])
        recycling.pass(.seconds(60))
        recycling.send(.recycle(.a, recycling.run(.a), within: .seconds(600)))
        var leaving = Scene.ready([policy])
        leaving.send(.stopping(.a, leaving.run(.a)))
        var terminating = draining
        terminating.send(.drained(.a, terminating.run(.a)))
        var failing = Scene.ready([policy])
        failing.pass(.seconds(8))
        var sweeping = terminating
        sweeping.exited(.a, .code(0))
        var killing = terminating
        killing.passToDeadline()
        var crashed = Scene.ready([policy])
        crashed.pass(.seconds(1))
        crashed.exited(.a, .crash)
        var unkillable = killing
        unkillable.passToDeadline()
        return [
            Situation(name: "stopping: the drain word is out", scene: draining),
            Situation(name: "stopping: the drain word is out, to be recycled when it is idle", scene: recycling),
            Situation(name: "stopping: it said so itself", scene: leaving),
            Situation(name: "stopping: the stop signal is out", scene: terminating),
            Situation(name: "stopping: the stop signal is out because the watchdog bit", scene: failing),
            Situation(name: "stopping: main is gone, the rest has the stop signal", scene: sweeping),
            Situation(name: "stopping: SIGKILL is out, main not reaped", scene: killing),
            Situation(name: "stopping: crashed, the rest has SIGKILL", scene: crashed),
            Situation(name: "unkillable (by a stop)", scene: unkillable),
        ]
    }
}

extension Supervisor {
    /// All that may change: what looks the same before and after an event ignored it.
    fileprivate var fingerprint: String { "\(children) \(groups) \(life) \(commands.keys.sorted())" }
}
