import Plan
import SupervisorCore
import Wire

@testable import Runtime

extension ExplanationTests {
    private static func group(_ change: (inout GroupPolicy) -> Void = { _ in }) -> GroupPlan {
        var policy = GroupPolicy(children: [.a, .b], slowRetry: .seconds(600))
        change(&policy)
        return GroupPlan(name: "g", policy: policy)
    }

    private static func pair(
        _ group: GroupPlan, _ change: (inout ChildPlan) -> Void = { _ in }, times: Int
    ) -> Stage {
        let first = a {
            $0.policy.group = GroupID(rawValue: 0)
            change(&$0)
        }
        var stage = Stage([first, child("b", "serve") { $0.policy.group = GroupID(rawValue: 0) }], groups: [group])
        stage.ready(.b)
        stage.crashes(.a, times: times)
        if stage.view(.b).phase == .stopping { stage.ends(.b, .code(0)) }
        return stage
    }

    private static let twice = Intensity(restarts: 2, window: .seconds(600))

    static let rules: [Case] = [
        Case(
            testDescription: "intensity of the child", phase: .parked, cause: .crash,
            settings: ["intensity.restarts = 2", "intensity.window = 10min", "delay.slow-retry = 15min"],
            says: ["more than 2 restarts within 10 min park it (`intensity`)"]
        ) {
            var stage = Stage([a { $0.policy.intensity = twice }])
            stage.crashes(.a, times: 3)
            return stage
        },
        Case(
            testDescription: "intensity of the group", phase: .parked, cause: .crash,
            settings: [
                "group.g.intensity.restarts = 2", "group.g.intensity.window = 10min", "group.g.slow-retry = 10min",
            ], says: ["more than 2 restarts within 10 min in group g park the group", "one try in 10 min"]
        ) { pair(group { $0.intensity = twice }, times: 3) },
        Case(
            testDescription: "intensity of the group, told of another member", phase: .parked, cause: .dependency,
            settings: [
                "group.g.intensity.restarts = 2", "group.g.intensity.window = 10min", "group.g.slow-retry = 10min",
            ], says: ["its group g is parked because of a", "`group.g.intensity`", "or `nexusctl start a` at once"],
            child: .b
        ) { pair(group { $0.intensity = twice }, times: 3) },
        Case(
            testDescription: "intensity of the group, before it is reached", phase: .ready, cause: .crash,
            settings: ["delay.stable-after = 1min", "restart = always"],
            says: [
                "or an error of configuration; then it is tried once every 15 min (`delay.slow-retry`); and more than 2"
                    + " restarts within 10 min in its group (`group.g.intensity`): then the group is parked and is tried"
                    + " once every 10 min (`group.g.slow-retry`)"
            ]
        ) {
            var stage = pair(group { $0.intensity = twice }, times: 2)
            stage.pass(.seconds(1))
            stage.ready(.a)
            return stage
        },
        Case(
            testDescription: "critical", phase: .parked, cause: .crash,
            settings: ["delay.park-after = 2", "critical = true", "group.g.slow-retry = never"],
            says: ["2 unstable runs in a row park it", "as it is `critical`, its group g", "it needs you"]
        ) {
            pair(
                group { $0.slowRetry = nil },
                {
                    $0.policy.critical = true
                    $0.policy.delay.parkAfter = 2
                }, times: 2)
        },
        Case(
            testDescription: "critical, told of another member", phase: .parked, cause: .dependency,
            settings: ["delay.park-after = 2", "critical = true", "group.g.slow-retry = 10min"],
            says: ["2 unstable runs in a row park a", "as a is `critical`, its group g"], child: .b
        ) {
            pair(
                group(),
                {
                    $0.policy.critical = true
                    $0.policy.delay.parkAfter = 2
                }, times: 2)
        },
        Case(
            testDescription: "critical, before it is parked", phase: .ready, cause: nil, settings: ["restart = always"],
            says: ["its group g is parked with it (`critical`) and is tried once every 10 min (`group.g.slow-retry`)"]
        ) {
            var stage = pair(group(), { $0.policy.critical = true }, times: 0)
            stage.ready(.a)
            return stage
        },
        Case(
            testDescription: "restart = never", phase: .parked, cause: .crash, settings: ["restart = never"],
            says: ["a failure is final (`restart` is never)", "it needs you"]
        ) {
            var stage = up { $0.policy.restart = .never }
            stage.ends(.a)
            return stage
        },
        Case(
            testDescription: "a job that fails", phase: .scheduled, cause: .oom,
            settings: ["memory.max = 1MiB", "schedule.every = 1h"],
            says: ["its next run in 60 min", "`schedule.every`", "never: a run that fails is followed by the next"]
        ) {
            var stage = Stage([
                a {
                    $0.policy.schedule = .every(.seconds(3600))
                    $0.bounds.memoryMax = 1 << 20
                }
            ])
            stage.pass(.zero)
            stage.ready(.a)
            stage.ends(.a, .signal(.kill, coreDumped: false, oom: true))
            return stage
        },
        Case(
            testDescription: "a job between two runs", phase: .scheduled, cause: .done, settings: ["schedule.at = …"],
            says: ["a success", "`nexusctl start a` at once"]
        ) {
            var stage = Stage([a { $0.policy.schedule = .calendar }])
            let moments = [0, 900].map { Moment(second: $0, instant: stage.now + .seconds($0)) }
            stage.send(.timetable(.a, moments, second: 0))
            stage.pass(.zero)
            stage.ready(.a)
            stage.ends(.a, .code(0))
            return stage
        },
        Case(
            testDescription: "a job that runs", phase: .ready, cause: nil, settings: ["schedule.every = 1h"],
            says: ["it runs; its next time comes in 60 min, and is skipped if it runs still then"]
        ) {
            var stage = Stage([a { $0.policy.schedule = .every(.seconds(3600)) }])
            stage.pass(.zero)
            stage.ready(.a)
            return stage
        },
        Case(
            testDescription: "log-writer", phase: .ready, cause: nil, settings: [],
            says: ["built in: started again whenever it ends", "never: others need it"]
        ) {
            var stage = Stage([logWriter])
            stage.ready(.a)
            return stage
        },
        Case(
            testDescription: "nexus-probe", phase: .delayed, cause: .crash, settings: [],
            says: ["built in", "never: others need it"]
        ) {
            var stage = Stage([prober])
            stage.ready(.a)
            stage.ends(.a)
            return stage
        },
    ]

    static let waiting: [Case] =
        [
            Case(
                testDescription: "stopped by command", phase: .off, cause: .asked, settings: ["enabled = true"],
                says: ["an owner stopped it by command", "or `nexusctl reset a`", "nothing until `nexusctl start a`"]
            ) {
                var stage = Stage([a()], choices: [.a: .off])
                stage.choice = .off
                return stage
            },
            Case(
                testDescription: "off in the file", phase: .off, cause: nil, settings: ["enabled = false"],
                says: ["nothing until `nexusctl start a`"]
            ) { Stage([a { $0.policy.enabled = false }]) },
            Case(
                testDescription: "off in the file, and a worker's to start", phase: .off, cause: nil,
                settings: ["enabled = false", "child.keeper.may = …"],
                says: ["and started and stopped by keeper", "nothing until keeper starts it"]
            ) {
                let keeper = child("keeper", "worker", readiness: .bus, worker: WorkerPlan(may: [.start(.child(.a))]))
                return Stage([a { $0.policy.enabled = false }, keeper])
            },
            Case(
                testDescription: "requires", phase: .waiting, cause: nil, settings: ["requires = [\"b\"]"],
                says: ["b, which is starting (`requires`)", "it starts when b is ready"]
            ) { Stage([a { $0.policy.requires = [.b] }, child("b", "serve", readiness: .notify)]) },
            Case(
                testDescription: "what it requires is off", phase: .waiting, cause: .dependency,
                settings: ["requires = [\"b\"]"], says: ["b, which is off (`requires`)"]
            ) { Stage([a { $0.policy.requires = [.b] }, child("b", "serve") { $0.policy.enabled = false }]) },
            Case(
                testDescription: "after", phase: .waiting, cause: nil, settings: ["after = [\"b\"]"],
                says: ["b, which is starting (`after`)"]
            ) { Stage([a { $0.policy.after = [.b] }, child("b", "serve", readiness: .notify)]) },
            Case(
                testDescription: "order of the group", phase: .waiting, cause: nil,
                settings: ["group.g.strategy = \"one-for-all\"", "group.g.children = [\"b\", \"a\"]"],
                says: ["b, which is starting (order of group g)"]
            ) {
                let first = a { $0.policy.group = GroupID(rawValue: 0) }
                let second = child("b", "serve", readiness: .notify) { $0.policy.group = GroupID(rawValue: 0) }
                let order = group {
                    $0.children = [.b, .a]
                    $0.strategy = .oneForAll
                }
                return Stage([first, second], groups: [order])
            },
            Case(
                testDescription: "the log-writer goes first", phase: .waiting, cause: nil, settings: [],
                says: ["log-writer, which is starting, at most 5 s"], child: .b
            ) { Stage([logWriter, child("b", "serve")]) },
        ] + readiness

    private static let readiness: [Case] = [
        (Readiness.notify, "READY=1 on its notify socket"), (.descriptor(5), "a newline on its fd 5"),
        (.bus, "its word `ready` on the bus"), (.health, "a worker to call it healthy"),
        (
            .probe(.tcp(host: "127.0.0.1", port: Text("8080"), timeout: .seconds(1))), "a connection to 127.0.0.1:8080"
        ), (.probe(.exec(executable: "/bin/ok", arguments: [], timeout: .seconds(1))), "success of its probe /bin/ok"),
        (
            .probe(.http(HTTPProbe(host: "127.0.0.1", port: Text("80"), path: "/up", timeout: .seconds(1)))),
            "status 200-399 from http://127.0.0.1:80/up"
        ),
        (
            .logLine(LinePattern(pieces: [.literal("port "), .integer(name: "port")])), "a line with `port {port:int}`"
        ), (.done, "its end with success"),
    ].map { readiness, words in
        Case(
            testDescription: "starting: \(words)", phase: .starting, cause: nil,
            settings: ["start-timeout = 1min", "ready = …"], says: [words, "48 s left"]
        ) {
            var stage = Stage([child("a", "serve", policy: ChildPolicy(), readiness: readiness)])
            stage.spawned(.a)
            stage.pass(.seconds(12))
            return stage
        }
    }
}
