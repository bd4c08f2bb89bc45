import Plan
import SupervisorCore
import Testing
import Wire

@testable import Runtime

/// Every state with every cause that leads to it: which keys `why` names, and what it says.
@Suite(.timeLimit(.minutes(1)))
struct ExplanationTests {
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let phase: Phase
        let cause: Cause?
        /// `key = value`, as `why` shows them, without `child.a.`.
        let settings: [String]
        /// Parts of the cause's words, the rule, what comes next, and what makes it give up.
        var says: [String] = []
        var child = ChildID.a
        let stage: @Sendable () -> Stage
    }

    @Test(arguments: cases)
    func why_namesWhatGoverns(_ row: Case) {
        let stage = row.stage()
        let words = stage.explanation(row.child)
        #expect(words.view.phase == row.phase)
        #expect(words.cause == row.cause)
        #expect(words.settings.map { "\(dropping($0.key)) = \($0.value)" } == row.settings)
        let text = [words.causeWords, words.rule, words.next, words.givesUp, words.awaits].compactMap { $0 }
            .joined(separator: "\n")
        for part in row.says { #expect(text.contains(part), "\(text)") }
    }

    private func dropping(_ key: String) -> String { key.hasPrefix("child.a.") ? String(key.dropFirst(8)) : key }

    @Test func everyCauseAndEveryState_isInTheTable() {
        #expect(Set(Self.cases.compactMap(\.cause)) == Set(Cause.allCases))
        #expect(Set(Self.cases.map(\.phase)) == Set(Phase.allCases))
    }

    @Test func whatNeverRan_hasNoCauseInWords() {
        let stage = Stage([Self.a { $0.policy.requires = [.b] }, child("b", "serve") { $0.policy.enabled = false }])
        #expect(stage.view(.a).cause == .dependency)
        #expect(stage.explanation(.a).causeWords == nil)
    }

    static func a(_ change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan {
        child("a", "serve", policy: ChildPolicy(), change: change)
    }

    static func up(_ change: (inout ChildPlan) -> Void = { _ in }) -> Stage {
        var stage = Stage([a(change)])
        stage.ready(.a)
        return stage
    }

    static func parked(_ change: (inout ChildPlan) -> Void = { _ in }) -> Stage {
        var stage = Stage([a(change)])
        stage.crashes(.a, times: 12)
        return stage
    }

    static let exits: [Case] = [
        Case(
            testDescription: "exit 78", phase: .parked, cause: .config,
            settings: ["exits.config = [64, 78]", "delay.slow-retry = 15min"],
            says: [
                "`exits.config` names exit 78", "parks it at once", "one try in 15 min",
                "the same error parks it again",
            ]
        ) {
            var stage = up()
            stage.ends(.a, .code(78))
            return stage
        },
        Case(
            testDescription: "it put itself into the background", phase: .parked, cause: .config,
            settings: ["restart = always", "command = …", "delay.slow-retry = 15min"], says: ["into the background"]
        ) {
            var stage = up()
            stage.ends(.a, .code(0))
            return stage
        },
        Case(
            testDescription: "no such program", phase: .parked, cause: .config,
            settings: ["command = …", "delay.slow-retry = never"],
            says: ["cannot be started", "it needs you: mend it, then `nexusctl start a`"]
        ) {
            var stage = Stage([a { $0.policy.delay.slowRetry = nil }])
            stage.fails(.a, .exec, 2)
            return stage
        },
        Case(
            testDescription: "no such directory", phase: .parked, cause: .config,
            settings: ["directory = /", "delay.slow-retry = 15min"]
        ) {
            var stage = Stage([a()])
            stage.fails(.a, .directory, 2)
            return stage
        },
        Case(
            testDescription: "a secret that is not there", phase: .parked, cause: .config,
            settings: ["secret.token.file = /etc/token", "delay.slow-retry = 15min"]
        ) {
            var stage = Stage([a()])
            stage.fails(.a, .prepare, 2)
            stage.remark = EndRemark(
                stage.view(.a).lastEnd?.run ?? RunID(rawValue: 0), "words",
                [Explanation.Setting(key: "secret.token.file", value: "/etc/token")])
            return stage
        },
        Case(
            testDescription: "crash", phase: .delayed, cause: .crash,
            settings: ["delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["nobody asked", "the next try in 150 ms", "12 unstable runs in a row (now 2)", "every 15 min"]
        ) {
            var stage = up()
            stage.ends(.a)
            stage.pass(.milliseconds(150))
            stage.ready(.a)
            stage.ends(.a)
            return stage
        },
        Case(
            testDescription: "no memory for a start", phase: .delayed, cause: .crash,
            settings: ["delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"], says: ["may pass by itself"]
        ) {
            var stage = Stage([a()])
            stage.fails(.a, .clone, 11)
            return stage
        },
        Case(
            testDescription: "crashes in a row", phase: .parked, cause: .crash,
            settings: ["delay.park-after = 12", "delay.slow-retry = 15min"],
            says: ["12 unstable runs in a row park it", "unless it is ready for 60 s"]
        ) { parked() },
        Case(
            testDescription: "the slow retry of one that crashed in a row", phase: .starting, cause: .crash,
            settings: ["start-timeout = 1min", "ready = …"],
            says: ["one more unstable run (12 unstable runs in a row had parked it)", "tried once every 15 min"]
        ) {
            var stage = parked()
            stage.pass(.seconds(900))
            return stage
        },
        Case(
            testDescription: "killed by the kernel for memory.max", phase: .delayed, cause: .oom,
            settings: ["memory.max = 256MiB", "delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["more than `memory.max`, and the kernel killed it"]
        ) {
            var stage = up { $0.bounds.memoryMax = 256 << 20 }
            stage.ends(.a, .signal(.kill, coreDumped: false, oom: true))
            return stage
        },
        Case(
            testDescription: "killed by nexusd for memory.max", phase: .delayed, cause: .oom,
            settings: ["memory.max = 256MiB", "delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["nexusd killed it, which keeps that limit where no cgroup does"]
        ) {
            var stage = up { $0.bounds.memoryMax = 256 << 20 }
            stage.kernelKeepsMemory = false
            stage.ends(.a, .signal(.kill, coreDumped: false, oom: true))
            return stage
        },
        Case(
            testDescription: "the machine had no memory", phase: .delayed, cause: .oom,
            settings: ["delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["the machine had no memory left"]
        ) {
            var stage = up()
            stage.ends(.a, .signal(.kill, coreDumped: false, oom: true))
            return stage
        },
        Case(
            testDescription: "killed at its limit of processor time", phase: .delayed, cause: .crash,
            settings: ["limits.cpu = 2s", "delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["a limit of its own was reached (`limits.cpu`)"]
        ) {
            var stage = up()
            stage.ends(.a, .signal(.kill, coreDumped: false, oom: false))
            stage.remark = EndRemark(
                stage.view(.a).lastEnd?.run ?? RunID(rawValue: 0), "words",
                [Explanation.Setting(key: "child.a.limits.cpu", value: "2s")])
            return stage
        },
        Case(
            testDescription: "an exit that is unknown", phase: .delayed, cause: .unknown,
            settings: ["delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"], says: ["cannot be known"]
        ) {
            var stage = up()
            stage.ends(.a, .unknown)
            return stage
        },
        Case(
            testDescription: "no network", phase: .delayed, cause: .network,
            settings: ["exits.network = [68, \"SIGHUP\"]", "delay.first = 100ms", "delay.cap = 30s"],
            says: [
                "`exits.network` names exit 68", "never parked for it", "doubling up to 10 s",
                "not for want of a network",
            ]
        ) {
            var stage = up { $0.policy.exits.network.insert(.signal(.hangUp)) }
            stage.ends(.a, .code(68))
            return stage
        },
        Case(
            testDescription: "a clean exit that nobody asked for", phase: .delayed, cause: .done,
            settings: ["exits.success = [0]", "delay.first = 10s", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["a clean exit, and nobody asked for it: it must run (`restart` is always); it counts as a crash"]
        ) {
            var stage = up { $0.policy.delay.first = .seconds(10) }
            stage.pass(.seconds(5))
            stage.ends(.a, .code(0))
            return stage
        },
        Case(
            testDescription: "done", phase: .done, cause: .done, settings: ["restart = on-failure"],
            says: ["a success is final (`restart` is on-failure)", "nothing: it has done"]
        ) {
            var stage = up { $0.policy.restart = .onFailure }
            stage.ends(.a, .code(0))
            return stage
        },
    ]

    static let health: [Case] = [
        Case(
            testDescription: "watchdog", phase: .delayed, cause: .watchdog,
            settings: ["watchdog = 2s", "delay.first = 10s", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["WATCHDOG=1"]
        ) {
            var stage = up {
                $0.policy.watchdog = .seconds(2)
                $0.policy.delay.first = .seconds(10)
            }
            stage.pass(.seconds(2))
            stage.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
            return stage
        },
        Case(
            testDescription: "not ready in time", phase: .delayed, cause: .probe,
            settings: [
                "start-timeout = 1s", "ready = …", "delay.first = 10s", "delay.cap = 30s", "delay.park-after = 12",
            ], says: ["not ready within `start-timeout`"]
        ) {
            var stage = Stage([
                child("a", "serve", policy: ChildPolicy(), readiness: .notify) {
                    $0.policy.startTimeout = .seconds(1)
                    $0.policy.delay.first = .seconds(10)
                }
            ])
            stage.spawned(.a)
            stage.pass(.seconds(1))
            stage.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
            return stage
        },
        Case(
            testDescription: "liveness", phase: .stopping, cause: .probe,
            settings: [
                "liveness.misses = 1", "liveness.interval = 3s", "liveness.timeout = 500ms", "stop-timeout = 5s",
                "kill-grace = 5s",
            ], says: ["its `liveness` probe missed", "it is being stopped; what is left in 5 s is killed"]
        ) {
            var stage = up {
                $0.policy.liveness = LivenessRule(interval: .seconds(3), misses: 1)
                $0.liveness = .tcp(host: "127.0.0.1", port: Text("80"), timeout: .milliseconds(500))
            }
            stage.probed(.a, healthy: false)
            return stage
        },
        Case(
            testDescription: "a worker's word", phase: .delayed, cause: .probe,
            settings: [
                "child.judge.may = …", "delay.first = 10s", "delay.cap = 30s", "delay.park-after = 12",
            ], says: ["a worker called it unhealthy"]
        ) {
            let judge = child("judge", "worker", readiness: .bus, worker: WorkerPlan(may: [.health(.a)]))
            var stage = Stage([a { $0.policy.delay.first = .seconds(10) }, judge])
            stage.ready(.a)
            for _ in 0..<3 { stage.judged(.a, healthy: false) }
            stage.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
            return stage
        },
        Case(
            testDescription: "recycled", phase: .delayed, cause: .recycled,
            settings: ["memory.recycle = 64MiB", "memory.recycle-within = 1h", "delay.first = 10s"],
            says: ["replaced when idle; nothing is counted"]
        ) {
            var stage = up {
                $0.bounds.recycle = RecycleRule(above: 64 << 20)
                $0.policy.delay = DelayRule(first: .seconds(10), stableAfter: .seconds(1))
            }
            stage.pass(.seconds(1))
            stage.recycle(.a)
            let run = stage.view(.a).run ?? RunID(rawValue: 0)
            stage.remark = EndRemark(run, "it had grown", stage.explanation(.a).settings(of: .recycled))
            stage.ends(.a, .code(0))
            return stage
        },
        Case(
            testDescription: "it serves, after crashes", phase: .ready, cause: .crash,
            settings: ["delay.stable-after = 1min", "restart = always"], says: ["it serves"]
        ) {
            var stage = up()
            stage.ends(.a)
            stage.pass(.milliseconds(100))
            stage.ready(.a)
            return stage
        },
        Case(
            testDescription: "unkillable", phase: .unkillable, cause: .unkillable, settings: ["kill-grace = 5s"],
            says: ["SIGKILL did not end it within `kill-grace`", "nothing while it is there"]
        ) {
            var stage = up()
            stage.send(.command(.stop(.child(.a)), CommandID(rawValue: 1)))
            stage.pass(.seconds(10))
            return stage
        },
        Case(
            testDescription: "stopping", phase: .stopping, cause: .asked,
            settings: ["stop-timeout = 5s", "kill-grace = 5s"], says: ["what is left in 5 s is killed"]
        ) {
            var stage = up()
            stage.send(.command(.stop(.child(.a)), CommandID(rawValue: 1)))
            return stage
        },
    ]

    static let cases = exits + health + recycling + ExplanationTests.rules + ExplanationTests.waiting + exact
}
