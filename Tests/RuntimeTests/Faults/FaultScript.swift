import Plan
import SupervisorCore
import System
import TestSupport
import Wire

@testable import Runtime

/// A life of nexusd that the sweep plays again and again: its plan, and what has to come to pass, step by step, before it is
/// told to stop. Each step is asked after every turn until it holds.
struct FaultScript: Sendable {
    let name: String
    let plan: @Sendable (String) -> Plan
    typealias Step = @Sendable (FaultTree) -> Bool
    let steps: [Step]
    /// What has to come to pass after nexusd went on as another program, for a life in which it does; calls fail from its execve on.
    var succession: [Step]?
    /// Children that a nexusd has brought up that was killed, and which the life that is played adopts.
    var adopts: [String] = []
    /// What has to hold at the end of a run in which one call failed at most; words for what does not.
    var verdict: @Sendable (FaultTree) -> String? = { _ in nil }

    static var all: [FaultScript] {
        [start, crash, reload, flood, bus, stop, upgrade, succession] + (TestCgroup.isPossible ? [adoption] : [])
    }

    /// A log-writer whose files are in a life's own directory.
    private static func keeper(_ directory: String) -> ChildPlan {
        var keeper = logWriter
        keeper.arguments[2] = Text(directory + "/state/logs")
        keeper.policy.delay = .quick
        return keeper
    }

    private static let quietWorker = child("worker", "worker", readiness: .bus, worker: WorkerPlan(may: []))

    private static func ofTheWeb(_ directory: String) -> SocketPlan {
        let real = LiveKernel()
        let file = SocketPlan.File(mode: 0o600, user: real.userID(), group: real.groupID())
        return SocketPlan(name: "web", address: .unix(directory + "/web.sock"), file: file)
    }

    /// nexusd would go on as a program that says it could, and whose execve fails: whatever else does, it goes on as it was.
    static let upgrade = FaultScript(
        name: "upgrade",
        plan: { directory in
            let plain = script("plain", "exec sleep 600") { $0.pidFile = "plain.pid" }
            return Plan(children: [keeper(directory), plain, quietWorker])
        },
        steps: [
            { $0.isReady("log-writer", "plain", "worker") },
            { $0.engine.upgrade.last != nil || $0.ask("upgrade") },
            { $0.engine.upgrade.last != nil && $0.engine.upgrade.stage == nil },
            { $0.hangUp() || $0.isReady("log-writer", "plain", "worker") }, { $0.ask("status") },
        ],
        verdict: { tree in
            let starts = tree.kernel.starts.count { $0.child == "plain" }
            guard tree.engine.upgrade.last?.result.why != nil else { return "an execve that failed is no upgrade" }
            return starts == 1 ? nil : "an upgrade that came to nothing restarted 'plain': \(starts) starts"
        })

    /// nexusd goes on as another program, or as the one before where that cannot take over: nobody notices.
    static let succession = FaultScript(
        name: "succession",
        plan: { directory in
            let plain = script("plain", "exec sleep 600") { $0.pidFile = "plain.pid" }
            let server = child("server", "serve") {
                $0.sockets = [ofTheWeb(directory)]
            }
            return Plan(children: [keeper(directory), plain, server, quietWorker])
        },
        steps: [
            { $0.isReady("log-writer", "plain", "server", "worker") }, { $0.ask("upgrade") }, { _ in false },
        ],
        succession: [
            { $0.isReady("log-writer", "plain", "server", "worker") }, { $0.ask("status") },
            { $0.engine.upgrade.last != nil },
        ],
        verdict: { tree in
            let again = ["plain", "server", "worker"].filter { child in
                tree.kernel.starts.count { $0.child == child } > 1
            }
            return again.isEmpty ? nil : "started again: \(again)"
        })

    /// Those of a nexusd that was killed go on, or are ended and come again; nobody is there twice.
    static let adoption = FaultScript(
        name: "adoption",
        plan: { directory in
            let descriptor = script("descriptor", "echo >&3; exec sleep 600") {
                $0.readiness = .descriptor(3)
                $0.policy.ready = .reported
            }
            let server = child("server", "serve") {
                $0.sockets = [ofTheWeb(directory)]
                $0.pidFile = "server.pid"
            }
            return Plan(children: [keeper(directory), descriptor, server, quietWorker])
        },
        steps: [
            { $0.isReady("log-writer", "descriptor", "server", "worker") }, { $0.ask("status") },
            { tree in
                // Without a cgroup those before are ended, and the others are in none.
                let count = tree.engine.surroundings.containment.guarantee == .exact ? 1 : 0
                return ["descriptor", "server", "worker"].allSatisfy { tree.before?.runs(of: $0) == count }
            },
        ], adopts: ["log-writer", "descriptor", "server", "worker"])

    /// Every kind of readiness, a PID file, a socket, a watchdog.
    static let start = FaultScript(
        name: "start",
        plan: { directory in
            let plain = script("plain", "exec sleep 600") { $0.pidFile = "plain.pid" }
            let descriptor = script("descriptor", "echo >&3; exec sleep 600") {
                $0.readiness = .descriptor(3)
                $0.policy.ready = .reported
            }
            let told = child("told", "late-ready", "0", readiness: .notify)
            let server = child("server", "serve") {
                $0.sockets = [ofTheWeb(directory)]
            }
            return Plan(children: [plain, descriptor, told, server])
        },
        steps: [{ $0.isReady("plain", "descriptor", "told", "server") }, { $0.ask("status") }])

    /// One that ends three times, one that is killed, and one that has nothing to do with it.
    static let crash = FaultScript(
        name: "crash",
        plan: { directory in
            let text = "echo x >> \(directory)/ends; [ $(wc -l < \(directory)/ends) -gt 3 ] || exit 3; exec sleep 600"
            let killed = script(
                "killed", "[ -e \(directory)/killed ] || { : > \(directory)/killed; kill -9 $$; }; exec sleep 600")
            return Plan(children: [script("bystander", "exec sleep 600"), script("crasher", text), killed])
        },
        steps: [
            { tree in
                let ends = (tree.view("crasher")?.endedRuns ?? 0, tree.view("killed")?.endedRuns ?? 0)
                return ends.0 >= 3 && ends.1 >= 1 && tree.isReady("bystander", "crasher", "killed")
            }, { $0.ask("history crasher") },
        ])

    /// One child stays as it is, one gets other arguments, one is new, one goes.
    static let reload = FaultScript(
        name: "reload",
        plan: { directory in
            Plan(children: [
                script("same", "exec sleep 600"), script("other", "exec sleep 600"), script("gone", "exec sleep 600"),
            ])
        },
        steps: [
            { $0.isReady("same", "other", "gone") },
            { tree in
                // What a failed reload has left as it was is asked for again.
                if tree.isReady("new"), tree.view("gone")?.phase != .ready { return true }
                guard tree.engine.config.current == nil, tree.engine.leaving.isEmpty else { return false }
                let new = Plan(children: [
                    script("same", "exec sleep 600"), script("other", "exec sleep 599"),
                    script("new", "exec sleep 600") { $0.pidFile = "new.pid" },
                ])
                if !tree.isReady("new"), !tree.engine.names.ids.contains(where: { tree.engine.names[$0] == "new" }) {
                    try? LiveKernel().replaceFile(tree.directory + "/plan", with: tree.encoded(new), mode: 0o600)
                    tree.engine.wish(.reload(nil))
                }
                return false
            },
            { $0.isReady("same", "other", "new") && $0.engine.leaving.isEmpty },
        ],
        verdict: { tree in
            let starts = tree.kernel.starts.filter { $0.child == "same" }
            return starts.count == 1 ? nil : "a reload without a change restarted 'same': \(starts.count) starts"
        })

    /// 4,000 lines in a moment, with log-writer; each is filed, or counted as missing.
    static let flood = FaultScript(
        name: "flood",
        plan: { directory in
            let talker = script("talker", "seq 1 4000; exec sleep 600") { $0.log.rate = nil }
            return Plan(children: [keeper(directory), talker])
        },
        steps: [
            { $0.isReady("log-writer", "talker") },
            { $0.file("state/logs/talker/current").contains(" 4000\n") },
        ],
        verdict: { tree in
            let lines = tree.file("state/logs/talker/current").split(separator: "\n")
            let runs = tree.kernel.starts.count { $0.child == "talker" }
            let found = Set(lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } })
            let missing = (1...4000).filter { !found.contains($0) }
            return missing.isEmpty || runs > 1 ? nil : "lines are missing: \(missing.prefix(5)) of \(missing.count)"
        })

    /// Workers that greet, ask nexusd for what they may, and write to each other.
    static let bus = FaultScript(
        name: "bus",
        plan: { _ in
            let may = WorkerPlan(may: [.stop(.child(ChildID(rawValue: 1)))])
            let talks = WorkerPlan(may: [.status], peers: [ChildID(rawValue: 4)])
            return Plan(children: [
                script("other", "exec sleep 600"),
                worker("boss", may, "ask", "stop", "child:other"), worker("talker", talks, "address", "4", "hello"),
                worker("listener", WorkerPlan(peers: [ChildID(rawValue: 3)]), "worker"),
            ])
        },
        steps: [
            { $0.isReady("boss", "talker", "listener") && $0.view("other")?.phase == .off }, { $0.ask("status") },
            { $0.ask("metrics") },
        ])

    private static func worker(_ name: String, _ plan: WorkerPlan, _ verb: String...) -> ChildPlan {
        child(name, readiness: .bus, worker: plan) { $0.arguments = [Text("fixture")] + verb.map { Text($0) } }
    }

    /// Commands, then the end of a tree in which one ignores SIGTERM, one has left others behind, one needs another.
    static let stop = FaultScript(
        name: "stop",
        plan: { directory in
            var stubborn = script("stubborn", "trap '' TERM; while :; do sleep 600 & wait; done")
            stubborn.policy.stop = StopRule(timeout: .milliseconds(100))
            let family = script("family", "setsid sleep 600 & sleep 600 & wait")
            let base = script("base", "exec sleep 600")
            var user = script("user", "exec sleep 600")
            user.policy.requires = [ChildID(rawValue: 3)]
            return Plan(children: [stubborn, family, base, user])
        },
        steps: [
            { $0.isReady("stubborn", "family", "base", "user") },
            { $0.ask("stop base") || $0.view("base")?.phase == .off },
            { $0.hangUp() || $0.view("user")?.phase != .ready },
            { $0.ask("start base") || $0.isReady("base") },
            { $0.hangUp() || $0.isReady("stubborn", "family", "base", "user") },
        ])
}
